#pragma once

/// Purpose: places where a test build can plant a bug, to prove that the tests would find it. `KAIKU_MUTANT(name)` is
/// the constant `false` in the product; `tests/simulation` also compiles the core with its own list of names, and then
/// it is true while that mutant is the one selected (`docs/testing.md`).
/// Thread: any.

#ifdef KAIKU_MUTANTS_HEADER
#include KAIKU_MUTANTS_HEADER
#define KAIKU_MUTANT(name) (::kaiku::simulation::planted == ::kaiku::simulation::mutant::name)
#else
#define KAIKU_MUTANT(name) false
#endif
