#include "build_facts.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// SwiftPM caches a manifest's git information until the manifest changes, so a program built again
// after a commit would name the commit before. The reflog is a tracked dependency and never stale;
// evaluated by the compiler, none of it but the digits reaches the program.
#if __has_embed("../../.git/logs/HEAD")
namespace {
constexpr char reflog[] = {
#embed "../../.git/logs/HEAD" suffix(, )
    '\n'};

struct Commit {
    char digits[13];
};

constexpr Commit lastCommit() {
    int line = int(sizeof reflog) - 3;
    while (line > 0 && reflog[line - 1] != '\n') line--;
    int start = line;
    while (start < int(sizeof reflog) && reflog[start] != ' ') start++;
    Commit commit = {};
    for (int i = 0; i < 12 && start + 1 + i < int(sizeof reflog); i++)
        commit.digits[i] = reflog[start + 1 + i];
    return commit;
}

constexpr Commit commit = lastCommit();
}  // namespace

const char *dtrain_build_commit(void) { return commit.digits; }
#else
const char *dtrain_build_commit(void) { return DTRAIN_COMMIT; }
#endif

const char *dtrain_build_clang(void) { return __clang_version__; }
