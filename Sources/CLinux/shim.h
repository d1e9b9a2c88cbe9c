#pragma once
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
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

/// The user at the other end of a connected unix socket, as the kernel knows it; -1 for any other.
static inline long dtrain_peer_user(int descriptor) {
    int domain = 0;
    socklen_t length = sizeof domain;
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) || domain != AF_UNIX)
        return -1;
    struct { int process; unsigned user, group; } peer;
    length = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) ? -1 : (long)peer.user;
}

// Declared only under _GNU_SOURCE, which Swift's Glibc module does without.
int pipe2(int descriptors[2], int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int pidfd_open(pid_t process, unsigned int flags);

// Memory that several processes map.

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>

enum {
    dtrain_seal_seal = 1, dtrain_seal_shrink = 2, dtrain_seal_grow = 4,
    dtrain_seal_future_write = 16
};

/// A file without a name that lives in memory, is its user's alone and can be sealed; -1 and errno if
/// there is none.
static inline int dtrain_memory_file(const char *label) {
    int descriptor = (int)syscall(SYS_memfd_create, label, 3u /* close on exec, may be sealed */);
    if (descriptor >= 0 && syscall(SYS_fchmod, descriptor, 0600u) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/// 0, or -1 and errno.
static inline int dtrain_add_seals(int descriptor, int seals) {
    return (int)syscall(SYS_fcntl, descriptor, 1033 /* F_ADD_SEALS */, seals);
}

/// The seals of a file in memory, -1 for any other file.
static inline int dtrain_seals(int descriptor) {
    return (int)syscall(SYS_fcntl, descriptor, 1034 /* F_GET_SEALS */, 0);
}

/// Sequentially consistent, as all of these: each side must see the other's last word before it sleeps.
static inline uint64_t dtrain_load(const void *place) {
    return __atomic_load_n((const uint64_t *)place, __ATOMIC_SEQ_CST);
}

static inline void dtrain_store(void *place, uint64_t value) {
    __atomic_store_n((uint64_t *)place, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t dtrain_exchange(void *place, uint64_t value) {
    return __atomic_exchange_n((uint64_t *)place, value, __ATOMIC_SEQ_CST);
}

/// Tells the processor that this is a loop that waits.
static inline void dtrain_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
