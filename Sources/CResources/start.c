// What must be done before the libraries' constructors run.
//
// OpenBLAS starts a thread for every processor as it is loaded, and ends the process with SIGINT where
// one is refused; it also chooses its kernels then. So a program whose environment says anything else
// than one thread, and the kernels that every machine has, starts itself again with those. The loader
// calls this before any constructor (`DT_PREINIT_ARRAY`): nothing but system calls may be used.
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Names this process once it has started itself again: whatever becomes of the settings, it does so
// once. Children have another number, and decide for themselves.
static const char mark[] = "DTRAIN_STARTED_AGAIN=";

static const char *const settings[] = {
    "OPENBLAS_NUM_THREADS=1",
#if defined(__x86_64__)
    // Runs on every processor with AVX2, so that all machines compute the same bits.
    "OPENBLAS_CORETYPE=HASWELL",
#endif
};
enum { count_of_settings = sizeof settings / sizeof *settings };

static int can_run_the_kernels(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1;
#endif
}

// Whether an entry of the environment gives a value to the name of `setting`.
static int has_name_of(const char *setting, const char *entry) {
    return !strncmp(setting, entry, strchr(setting, '=') - setting + 1);
}

// Fills `text` with the mark of this process.
static void write_mark(char *text) {
    char digits[16];
    int at = 0;
    for (int number = getpid(); number > 0; number /= 10) digits[at++] = '0' + number % 10;
    memcpy(text, mark, sizeof mark - 1);
    text += sizeof mark - 1;
    while (at > 0) *text++ = digits[--at];
    *text = 0;
}

static void pin(int argc, char **argv, char **environment) {
    char own_mark[sizeof mark + 16];
    write_mark(own_mark);
    int count = 0, fit = 0;
    for (; environment[count]; count++) {
        if (!strcmp(environment[count], own_mark)) return;
        for (int i = 0; i < count_of_settings; i++)
            fit += !strcmp(environment[count], settings[i]);
    }
    if (fit == count_of_settings || !can_run_the_kernels()) return;
    char *next[count + count_of_settings + 2];
    int kept = 0;
    for (int i = 0; i < count; i++) {
        int is_replaced = has_name_of(mark, environment[i]);
        for (int j = 0; j < count_of_settings; j++)
            is_replaced |= has_name_of(settings[j], environment[i]);
        if (!is_replaced) next[kept++] = environment[i];
    }
    for (int i = 0; i < count_of_settings; i++) next[kept++] = (char *)settings[i];
    next[kept++] = own_mark;
    next[kept] = NULL;
    // By its own name, so that process lists show it; by the link if it was moved. Where the system
    // refuses both, the program goes on with the kernels that are loaded, which its digests tell.
    char path[PATH_MAX + 1] = {0};
    if (readlink("/proc/self/exe", path, PATH_MAX) > 0) execve(path, argv, next);
    execve("/proc/self/exe", argv, next);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = pin;
