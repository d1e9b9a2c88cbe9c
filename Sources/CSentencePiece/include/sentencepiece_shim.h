#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A loaded SentencePiece model; encoding and decoding may be called from any number of threads.
typedef struct dtrain_pieces dtrain_pieces;

/// What every function returns: 0, or the code of sentencepiece's Status, or one of these.
enum {
    dtrain_pieces_ok = 0,
    /// An exception, its text in the message.
    dtrain_pieces_exception = 100,
    /// An id outside the vocabulary.
    dtrain_pieces_bad_id = 101,
};

/// How a model is trained. The text is the lines, each ended by one '\n'.
typedef struct {
    const char *_Nullable text;
    size_t text_size;
    int32_t vocabulary;
    /// 1: byte-pair encoding, 0: unigram language model.
    int32_t byte_pairs;
    /// 1: U+2585 is a piece by itself. The trainer skips lines that hold it and makes no piece of it.
    int32_t whole_block;
} dtrain_pieces_training;

/// Everything that is handed out through a pointer to a pointer is released with this. Null is fine.
void dtrain_pieces_release(void *_Nullable memory);

/// Trains a model in memory, one thread, the same bytes each time. `message` is set on failure.
int32_t dtrain_pieces_train(
    dtrain_pieces_training training, uint8_t *_Nullable *_Nonnull model, size_t *_Nonnull model_size,
    char *_Nullable *_Nonnull message);

/// Loads a serialised model, copying its bytes. Freed with `dtrain_pieces_free`.
int32_t dtrain_pieces_load(
    const uint8_t *_Nullable model, size_t model_size, dtrain_pieces *_Nullable *_Nonnull pieces,
    char *_Nullable *_Nonnull message);
void dtrain_pieces_free(dtrain_pieces *_Nullable pieces);

int32_t dtrain_pieces_vocabulary(const dtrain_pieces *_Nonnull pieces);
/// The ids of the pad, begin, end and unknown marks; −1 for one that the model lacks.
void dtrain_pieces_marks(const dtrain_pieces *_Nonnull pieces, int32_t marks[_Nonnull 4]);

/// The text of an id, in which U+2581 stands for a space.
int32_t dtrain_pieces_piece(
    const dtrain_pieces *_Nonnull pieces, int32_t id, char *_Nullable *_Nonnull text,
    size_t *_Nonnull text_size, char *_Nullable *_Nonnull message);

int32_t dtrain_pieces_encode(
    const dtrain_pieces *_Nonnull pieces, const char *_Nullable text, size_t text_size,
    int32_t *_Nullable *_Nonnull ids, size_t *_Nonnull count, char *_Nullable *_Nonnull message);
int32_t dtrain_pieces_decode(
    const dtrain_pieces *_Nonnull pieces, const int32_t *_Nullable ids, size_t count,
    char *_Nullable *_Nonnull text, size_t *_Nonnull text_size,
    char *_Nullable *_Nonnull message);

/// The pieces of a text as they are written, end to end, and how many bytes each has.
int32_t dtrain_pieces_split(
    const dtrain_pieces *_Nonnull pieces, const char *_Nullable text, size_t text_size,
    char *_Nullable *_Nonnull bytes, int32_t *_Nullable *_Nonnull lengths, size_t *_Nonnull count,
    char *_Nullable *_Nonnull message);
/// The text of such pieces.
int32_t dtrain_pieces_join(
    const dtrain_pieces *_Nonnull pieces, const char *_Nullable bytes,
    const int32_t *_Nullable lengths, size_t count, char *_Nullable *_Nonnull text,
    size_t *_Nonnull text_size, char *_Nullable *_Nonnull message);

/// The parts of a text that have no piece, one behind the other.
int32_t dtrain_pieces_unknown(
    const dtrain_pieces *_Nonnull pieces, const char *_Nullable text, size_t text_size,
    char *_Nullable *_Nonnull unknown, size_t *_Nonnull unknown_size,
    char *_Nullable *_Nonnull message);

#ifdef __cplusplus
}
#endif
