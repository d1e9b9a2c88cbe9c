#pragma once
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/// A non-blocking, close-on-exec descriptor from which the signals of `mask` are read.
static inline int dtrain_signal_descriptor(const sigset_t *mask) {
    return signalfd(-1, mask, SFD_NONBLOCK | SFD_CLOEXEC);
}

/// The next signal that has arrived, 0 if there is none.
static inline int dtrain_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

/// Has the kernel kill this process when the thread that made it ends.
static inline int dtrain_die_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// Declared only under _GNU_SOURCE, which Swift's Glibc module does without.
int pipe2(int descriptors[2], int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int pidfd_open(pid_t process, unsigned int flags);
