// The kernel table: what JavaScript calls by number, and what each instruction set (or another device) implements.
#pragma once
#include <cstdint>

namespace eitp {

/// A call's arguments: JavaScript writes numbers and addresses (exact below 2⁵³) into one shared block.
using Frame = const double*;
/// 0, or 1 + the place of the first invalid index.
using Kernel = int64_t (*)(Frame);

/// Arguments in order; letters as in the fused-kernel table of @eitp/engine. Addresses of absent inputs are 0.
#define EITP_KERNELS(X)                                                                                        \
  X(gemm)          /* batch m n k | A step rs cs | B step rs cs | C | bias */                                  \
  X(columnSum)     /* rows columns x out */                                                                    \
  X(layerNorm)     /* rows width x w b epsilon | y mean r */                                                   \
  X(layerNormGrad) /* rows width dy x w mean r | dx dw db */                                                   \
  X(gelu)          /* n x y */                                                                                 \
  X(geluGrad)      /* n dy x dx */                                                                             \
  X(attention)     /* B T H d positions logN qkv mask | y lse */                                               \
  X(attentionGrad) /* B T H d positions logN qkv mask dy y lse | dqkv */                                       \
  X(headLoss)      /* N D V h w targets | nll lse kept */                                                      \
  X(headLossGrad)  /* N D V dy h w targets lse kept | dh dw */                                                 \
  X(adamW)         /* n p g m v beta1 beta2 scale epsilon root keep | p m v */                                 \
  X(binary)        /* op type rank a b out | dims[rank] a strides[rank] b strides[rank] */                     \
  X(unary)         /* op n x y */                                                                              \
  X(reduce)        /* op outer count inner x y */                                                              \
  X(softmax)       /* rows width log x y */                                                                    \
  X(strided)       /* element bytes, rank, from, to | dims[rank] from strides[rank] to strides[rank] */        \
  X(gather)        /* rows width(bytes) count table ids out */                                                 \
  X(segmentSum)    /* rows width segments x ids out */                                                         \
  X(cast)          /* from type, to type, n x y */                                                             \
  X(fill)          /* element bytes, n, value, out */                                                          \
  X(select)        /* element bytes, n, condition, a, b, out */                                                \
  X(sumSquares)    /* n x out */

enum KernelName : int {
#define X(name) name##Kernel,
  EITP_KERNELS(X)
#undef X
      kernelCount
};

/// Element types as JavaScript numbers them.
enum Type : int { float32 = 0, int32 = 1, boolean = 2 };

enum BinaryOp : int {
  addOp, subOp, mulOp, divOp, maximumOp, minimumOp, squaredDifferenceOp,
  equalOp, notEqualOp, greaterOp, greaterEqualOp, lessOp, lessEqualOp, andOp, orOp,
};
enum UnaryOp : int { negOp, squareOp, sqrtOp, rsqrtOp, expOp, logOp, sigmoidOp, tanhOp, absOp, reciprocalOp, reluOp, isFiniteOp, isNaNOp, notOp };
enum ReduceOp : int { sumReduce, meanReduce, maxReduce, minReduce };
enum Positions : int { plainPositions = 0, rotaryPositions = 1, alibiPositions = 2 };

struct Table {
  const char* isa;
  Kernel kernels[kernelCount];
};

extern const Table baseTable;
#if defined(__x86_64__)
extern const Table avx2Table;
extern const Table avx512Table;
#endif

template <class T>
inline T* at(double address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

}  // namespace eitp
