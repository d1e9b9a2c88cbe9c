#pragma once
#include <stddef.h>

/// Calls that must work when the system gives nothing more: no memory is taken by any of them.

/// Bytes of `dtrain_last_words`' sentence that are kept.
enum { dtrain_last_words_limit = 512, dtrain_folder_limit = 4096 };

/// What is said behind "the system refuses N bytes of memory" before the process ends with 71.
void dtrain_set_last_words(const char *sentence);

/// Says that `bytes` are not to be had, removes what `dtrain_remove_at_end` was told, ends with 71.
///
/// `malloc` and its like do this by themselves: neither Swift nor libzmq could go on without.
__attribute__((noreturn)) void dtrain_end_without_memory(size_t bytes);

/// Has libzmq's aborts for want of threads, descriptors or memory end the process in the same way.
void dtrain_catch_aborts(void);

/// A folder that goes with all its files when the process ends by one of these ways or by a signal
/// that `dtrain_end_by` was given. Returns its place, -1 if there is none left.
int dtrain_remove_at_end(const char *folder);

/// The folder at this place has gone already.
void dtrain_forget_folder(int place);

/// Has a signal end the process at once with `code`, without a core file; a `sentence` is said before.
///
/// Not if it is ignored and `unlessIgnored`.
void dtrain_end_by(int signal, int code, const char *sentence, int unless_ignored);

/// Whether a signal is ignored, as `nohup` has it.
int dtrain_is_ignored(int signal);

enum { dtrain_addresses, dtrain_data, dtrain_processes, dtrain_files };

/// A limit of this process (getrlimit(2)); -1 where there is none.
long dtrain_limit(int kind);

/// Gives the calling thread a name of 15 bytes at most.
void dtrain_name_thread(const char *name);

/// Processors that this process may run on; 0 if the system does not say.
int dtrain_processors_allowed(void);
