"""What people see; reads what keep wrote and writes no state."""
