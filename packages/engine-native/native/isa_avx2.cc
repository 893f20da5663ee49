#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#define EITP_ISA avx2
#define EITP_WIDTH 8  // floats per vector
#define EITP_ROWS 6  // rows of the matrix product's register tile
#include "all.inc"
#endif
