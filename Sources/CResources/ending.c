// How a process ends that the system gives nothing more: with one sentence and exit code 71.
#define _GNU_SOURCE
#include "resources.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { code_of_refusal = 71 };

// MARK: folders that must not be left behind

enum { places = 4 };
static char folders[places][dtrain_folder_limit];
static atomic_bool is_taken[places];

int dtrain_remove_at_end(const char *folder) {
    if (strlen(folder) >= dtrain_folder_limit) return -1;
    for (int place = 0; place < places; place++) {
        if (folders[place][0]) continue;
        strcpy(folders[place], folder);
        atomic_store(&is_taken[place], 1);
        return place;
    }
    return -1;
}

void dtrain_forget_folder(int place) {
    if (place < 0 || place >= places) return;
    atomic_store(&is_taken[place], 0);
    folders[place][0] = 0;
}

struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

// Without `opendir`, which takes memory. Deeper than any folder of ours is not looked.
static void clear(int folder, int depth) {
    char buffer[2048] __attribute__((aligned(8)));
    long count;
    while ((count = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < count;) {
            struct entry *entry = (struct entry *)(buffer + at);
            at += entry->length;
            if (!strcmp(entry->name, ".") || !strcmp(entry->name, "..")) continue;
            if (!unlinkat(folder, entry->name, 0) || depth == 0) continue;
            int inner = openat(folder, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (inner < 0) continue;
            clear(inner, depth - 1);
            close(inner);
            unlinkat(folder, entry->name, AT_REMOVEDIR);
        }
    }
}

static void remove_folders(void) {
    for (int place = 0; place < places; place++) {
        if (!atomic_load(&is_taken[place])) continue;
        int folder = open(folders[place], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0) continue;
        clear(folder, 4);
        close(folder);
        rmdir(folders[place]);
    }
}

// MARK: last words

static char last_words[dtrain_last_words_limit] = "raise its limits, or let it do less at once";

void dtrain_set_last_words(const char *sentence) {
    strncpy(last_words, sentence, sizeof last_words - 1);
}

struct line {
    char text[1024];
    size_t count;
};

static void add(struct line *line, const char *text) {
    size_t count = strlen(text);
    if (count > sizeof line->text - line->count) count = sizeof line->text - line->count;
    memcpy(line->text + line->count, text, count);
    line->count += count;
}

static void add_number(struct line *line, size_t number) {
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = 0;
    do digits[--at] = '0' + number % 10;
    while (number /= 10);
    add(line, digits + at);
}

static void say(const struct line *line) {
    size_t done = 0;
    while (done < line->count) {
        ssize_t count = write(STDERR_FILENO, line->text + done, line->count - done);
        if (count < 0 && errno != EINTR) return;
        if (count > 0) done += count;
    }
}

// The first thread that comes here ends the process; others wait for that.
static void take_the_end(void) {
    static atomic_flag is_ending = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_ending)) return;
    for (;;) pause();
}

void dtrain_end_without_memory(size_t bytes) {
    take_the_end();
    struct line line = {.count = 0};
    add(&line, "dtrain: the system refuses ");
    add_number(&line, bytes);
    add(&line, " bytes of memory: ");
    add(&line, last_words);
    add(&line, "\n");
    say(&line);
    remove_folders();
    _exit(code_of_refusal);
}

// MARK: aborts

static void aborted(int signal) {
    const char *what;
    switch (errno) {
    case EMFILE: case ENFILE: what = "a descriptor (ulimit -n): raise that limit"; break;
    case EAGAIN: what = "a thread (ulimit -u, or pids.max of its control group): raise that limit"; break;
    case ENOMEM: case ENOBUFS: what = "memory (ulimit -v): raise that limit"; break;
    // Another reason: the signal does what it always does once this returns.
    default: return;
    }
    take_the_end();
    struct line line = {.count = 0};
    add(&line, "dtrain: the system refuses ");
    add(&line, what);
    add(&line, "\n");
    say(&line);
    remove_folders();
    _exit(code_of_refusal);
}

void dtrain_catch_aborts(void) {
    struct sigaction action = {.sa_handler = aborted, .sa_flags = SA_RESETHAND};
    sigaction(SIGABRT, &action, NULL);
}

// MARK: signals

enum { signals = 65 };
static struct { int code; const char *sentence; } endings[signals];

static void ended(int signal) {
    take_the_end();
    if (endings[signal].sentence) {
        struct line line = {.count = 0};
        add(&line, endings[signal].sentence);
        add(&line, "\n");
        say(&line);
    }
    remove_folders();
    _exit(endings[signal].code);
}

int dtrain_is_ignored(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void dtrain_end_by(int signal, int code, const char *sentence, int unless_ignored) {
    if (signal <= 0 || signal >= signals || (unless_ignored && dtrain_is_ignored(signal))) return;
    endings[signal].code = code;
    endings[signal].sentence = sentence;
    struct sigaction action = {.sa_handler = ended};
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

// MARK: what the system tells

long dtrain_limit(int kind) {
    static const int resources[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_NPROC, RLIMIT_NOFILE};
    struct rlimit limit;
    if (getrlimit(resources[kind], &limit) != 0 || limit.rlim_cur > LONG_MAX) return -1;
    return (long)limit.rlim_cur;
}

void dtrain_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

int dtrain_processors_allowed(void) {
    // The kernel refuses a mask that is shorter than its own.
    static _Thread_local unsigned char mask[8192];
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long at = 0; at < bytes; at++) count += __builtin_popcount(mask[at]);
    return count;
}
