/* What the judge and a runner share: 16 pages of words and one. The judge writes `orders`, which a runner can only read;
   a runner writes `control`, and nothing in it is believed beyond what the judge then checks for itself. */
#ifndef SHARED_H
#define SHARED_H

#include <stdint.h>

#define LINE 128 /* two cache lines: neighbours are fetched in pairs */

struct segment { /* a piece of the shared file, mapped between two pages that may not be touched */
    uint64_t file_offset, window_offset, bytes, writable;
};

struct orders {
    _Alignas(LINE) uint32_t go;   /* the visit's number; runners sleep on this word */
    _Alignas(LINE) uint32_t fire; /* the visit's number again: begin now */
    uint32_t stage;               /* and again, before: contents are there, to be brought to a device off the clock */
    _Alignas(LINE) uint64_t table_offset; /* in the window: rows of arguments, one row a call */
    uint64_t calls;
    uint64_t arguments;
    uint64_t segments;
    int64_t cpu; /* where to run, or -1 */
    uint64_t memory_bytes;
    uint64_t stack_bytes;
    uint64_t seconds; /* of processor time, in all */
    struct segment segment[];
};

enum achieved { NO_NEW_PRIVS = 1, LANDLOCK = 2, SECCOMP = 4, NO_TIMESTAMPS = 8, ENTERED = 16 /* whatever it gave */ };

struct control {
    _Alignas(LINE) uint32_t ready; /* awake, waiting for `fire` */
    _Alignas(LINE) uint32_t done;
    uint32_t staged;    /* contents are on the device */
    uint32_t delivered; /* results are back in shared memory */
    _Alignas(LINE) int32_t signal; /* what killed the candidate, and where in the window, or -1 */
    int32_t signal_code;
    int64_t fault_offset;
    uint32_t mode_changed; /* a call left rounding or denormals otherwise than it found them */
    uint32_t achieved;     /* enum achieved, written before anything foreign is loaded */
    char message[200]; /* why the artifact could not be loaded */
};

#endif
