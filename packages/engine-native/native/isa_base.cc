#define EITP_ISA base
// 128-bit vectors: SSE2 on x86-64, NEON on arm64.
#define EITP_WIDTH 4  // floats per vector
#define EITP_ROWS 4  // rows of the matrix product's register tile
#include "all.inc"
