#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
#define EITP_ISA avx512
#define EITP_WIDTH 16  // floats per vector
#define EITP_ROWS 14  // rows of the matrix product's register tile
#include "all.inc"
#endif
