#ifndef DTRAIN_BUILD_FACTS_H
#define DTRAIN_BUILD_FACTS_H

#ifdef __cplusplus
extern "C" {
#endif

/// The commit this program was built from, twelve digits; "unknown" outside a git checkout.
const char *_Nonnull dtrain_build_commit(void);

/// The toolchain's clang, which carries the same version as its swiftc.
const char *_Nonnull dtrain_build_clang(void);

#ifdef __cplusplus
}
#endif

#endif
