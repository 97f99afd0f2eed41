// As much of CUDA as `attention_cuda` needs, on one thread of a processor: a block's threads are fibers that take turns
// at every __syncthreads and shuffle, which all of them must reach. Says whether kernels are right, never how fast.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <ucontext.h>
#include <vector>

using std::max;
using std::min;

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static
#define __restrict__ __restrict
#define INFINITY HUGE_VALF

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct float4 {
    float x, y, z, w;
};
static float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static float rsqrtf(float x) { return 1.0f / sqrtf(x); }
#define __expf expf

static dim3 blockIdx, threadIdx, blockDim, gridDim;
static ucontext_t scheduler, fiber[1024];
static bool has_ended[1024];
static float handed[1024];
static std::function<void()> kernel;

static void take_turns() {
    unsigned mine = threadIdx.x;
    swapcontext(&fiber[mine], &scheduler);
}
#define __syncthreads take_turns

static float __shfl_xor_sync(unsigned, float value, int apart) {
    unsigned mine = threadIdx.x;
    handed[mine] = value;
    take_turns();
    float other = handed[mine ^ (unsigned)apart];
    take_turns();
    return other;
}

static void begin_fiber() {
    unsigned mine = threadIdx.x;
    kernel();
    has_ended[mine] = true;
}

static void run_block(unsigned threads) {
    static std::vector<char> stacks((size_t)1024 << 16);
    for (unsigned t = 0; t < threads; t++) {
        getcontext(&fiber[t]);
        fiber[t].uc_stack.ss_sp = &stacks[(size_t)t << 16];
        fiber[t].uc_stack.ss_size = 1 << 16;
        fiber[t].uc_link = &scheduler;
        makecontext(&fiber[t], begin_fiber, 0);
        has_ended[t] = false;
    }
    for (unsigned running = threads; running > 0;) {
        for (unsigned t = running = 0; t < threads; t++) {
            threadIdx.x = t;
            if (!has_ended[t]) swapcontext(&scheduler, &fiber[t]);
            running += !has_ended[t];
        }
    }
}

static void launch(dim3 grid, dim3 block, std::function<void()> what) {
    kernel = what, gridDim = grid, blockDim = block;
    for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) run_block(block.x);
}
