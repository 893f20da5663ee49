// What this machine has.
#pragma once
#include "kernels.h"

namespace eitp {

/// The kernels of an instruction set by name, or the best for "". Null where this processor lacks it.
const Table* tableFor(const char* isa);
/// Physical cores this process may run on.
int cores();

}  // namespace eitp
