// _Nullable and _Nonnull are for Swift's eyes.
#pragma clang diagnostic ignored "-Wnullability-extension"
#include "sentencepiece_shim.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

struct dtrain_pieces {
    sentencepiece::SentencePieceProcessor processor;
};

namespace {

/// The lines of a block of memory, without a copy of the whole.
class Lines : public sentencepiece::SentenceIterator {
  public:
    Lines(const char *text, size_t size) : rest_(text, size) { Next(); }
    bool done() const override { return done_; }
    void Next() override {
        done_ = rest_.empty();
        const size_t end = rest_.find('\n');
        const size_t length = end == std::string_view::npos ? rest_.size() : end;
        line_.assign(rest_.data(), length);
        rest_.remove_prefix(end == std::string_view::npos ? length : length + 1);
    }
    const std::string &value() const override { return line_; }
    sentencepiece::util::Status status() const override { return {}; }

  private:
    std::string_view rest_;
    std::string line_;
    bool done_ = false;
};

/// A copy of `size` bytes and a NUL after them, in memory that C can free.
template <typename Element> Element *copy(const void *bytes, size_t size) {
    char *memory = static_cast<char *>(std::malloc(size + 1));
    if (memory == nullptr) throw std::bad_alloc();
    if (size > 0) std::memcpy(memory, bytes, size);
    memory[size] = 0;
    return reinterpret_cast<Element *>(memory);
}

int32_t fail(int32_t code, const char *text, char **message) {
    *message = strdup(text);
    return code;
}

/// Runs `body`, which returns a Status, and turns what goes wrong into a code and a message.
template <typename Body> int32_t guarded(char **message, Body body) {
    *message = nullptr;
    try {
        const sentencepiece::util::Status status = body();
        if (status.ok()) return dtrain_pieces_ok;
        return fail(static_cast<int32_t>(status.code()), status.error_message(), message);
    } catch (const std::exception &error) {
        return fail(dtrain_pieces_exception, error.what(), message);
    } catch (...) {
        return fail(dtrain_pieces_exception, "unknown exception", message);
    }
}

}  // namespace

void dtrain_pieces_release(void *memory) { std::free(memory); }

int32_t dtrain_pieces_train(
    dtrain_pieces_training training, uint8_t **model, size_t *model_size, char **message) {
    return guarded(message, [&] {
        std::unordered_map<std::string, std::string> settings = {
            {"model_type", training.byte_pairs ? "bpe" : "unigram"},
            {"vocab_size", std::to_string(training.vocabulary)},
            {"character_coverage", "1.0"},
            // Text comes normalised; without a rule table the model stays 240 KB smaller.
            {"normalization_rule_name", "identity"},
            {"pad_id", "0"},
            {"bos_id", "1"},
            {"eos_id", "2"},
            {"unk_id", "3"},
            // More threads share out the counts differently and end in other bytes.
            {"num_threads", "1"},
            // Longer lines would be skipped without a word.
            {"max_sentence_length", "1073741824"},
            {"minloglevel", "3"},
        };
        // Left out unless needed: a model's bytes tell of it.
        if (training.whole_block) settings["user_defined_symbols"] = "\xe2\x96\x85";
        Lines lines(training.text, training.text_size);
        std::string serialised;
        const auto status =
            sentencepiece::SentencePieceTrainer::Train(settings, &lines, &serialised);
        if (!status.ok()) return status;
        *model = copy<uint8_t>(serialised.data(), serialised.size());
        *model_size = serialised.size();
        return status;
    });
}

int32_t dtrain_pieces_load(
    const uint8_t *model, size_t model_size, dtrain_pieces **pieces, char **message) {
    return guarded(message, [&] {
        auto loaded = std::make_unique<dtrain_pieces>();
        const auto status = loaded->processor.LoadFromSerializedProto(
            std::string_view(reinterpret_cast<const char *>(model), model_size));
        if (status.ok()) *pieces = loaded.release();
        return status;
    });
}

void dtrain_pieces_free(dtrain_pieces *pieces) { delete pieces; }

int32_t dtrain_pieces_vocabulary(const dtrain_pieces *pieces) {
    return pieces->processor.GetPieceSize();
}

void dtrain_pieces_marks(const dtrain_pieces *pieces, int32_t marks[4]) {
    const auto &processor = pieces->processor;
    marks[0] = processor.pad_id();
    marks[1] = processor.bos_id();
    marks[2] = processor.eos_id();
    marks[3] = processor.unk_id();
}

int32_t dtrain_pieces_piece(
    const dtrain_pieces *pieces, int32_t id, char **text, size_t *text_size, char **message) {
    // The library would end the process.
    if (id < 0 || id >= pieces->processor.GetPieceSize())
        return fail(dtrain_pieces_bad_id, "id outside the vocabulary", message);
    return guarded(message, [&] {
        const std::string &piece = pieces->processor.IdToPiece(id);
        *text = copy<char>(piece.data(), piece.size());
        *text_size = piece.size();
        return sentencepiece::util::Status();
    });
}

int32_t dtrain_pieces_encode(
    const dtrain_pieces *pieces, const char *text, size_t text_size, int32_t **ids, size_t *count,
    char **message) {
    return guarded(message, [&] {
        std::vector<int> encoded;
        const auto status =
            pieces->processor.Encode(std::string_view(text, text_size), &encoded);
        if (!status.ok()) return status;
        static_assert(sizeof(int) == sizeof(int32_t), "ids are copied as they lie");
        *ids = copy<int32_t>(encoded.data(), encoded.size() * sizeof(int));
        *count = encoded.size();
        return status;
    });
}

int32_t dtrain_pieces_decode(
    const dtrain_pieces *pieces, const int32_t *ids, size_t count, char **text, size_t *text_size,
    char **message) {
    const int32_t vocabulary = pieces->processor.GetPieceSize();
    for (size_t i = 0; i < count; ++i) {
        // The library would end the process.
        if (ids[i] < 0 || ids[i] >= vocabulary)
            return fail(dtrain_pieces_bad_id, "id outside the vocabulary", message);
    }
    return guarded(message, [&] {
        std::string decoded;
        const auto status =
            pieces->processor.Decode(std::vector<int>(ids, ids + count), &decoded);
        if (!status.ok()) return status;
        *text = copy<char>(decoded.data(), decoded.size());
        *text_size = decoded.size();
        return status;
    });
}

int32_t dtrain_pieces_split(
    const dtrain_pieces *pieces, const char *text, size_t text_size, char **bytes,
    int32_t **lengths, size_t *count, char **message) {
    return guarded(message, [&] {
        std::vector<std::string> words;
        const auto status = pieces->processor.Encode(std::string_view(text, text_size), &words);
        if (!status.ok()) return status;
        std::string all;
        std::vector<int32_t> sizes;
        for (const auto &word : words) {
            all += word;
            sizes.push_back(static_cast<int32_t>(word.size()));
        }
        *bytes = copy<char>(all.data(), all.size());
        *lengths = copy<int32_t>(sizes.data(), sizes.size() * sizeof(int32_t));
        *count = sizes.size();
        return status;
    });
}

int32_t dtrain_pieces_join(
    const dtrain_pieces *pieces, const char *bytes, const int32_t *lengths, size_t count,
    char **text, size_t *text_size, char **message) {
    return guarded(message, [&] {
        std::vector<std::string> words;
        for (size_t i = 0; i < count; ++i) {
            words.emplace_back(bytes, static_cast<size_t>(lengths[i]));
            bytes += lengths[i];
        }
        std::string joined;
        const auto status = pieces->processor.Decode(words, &joined);
        if (!status.ok()) return status;
        *text = copy<char>(joined.data(), joined.size());
        *text_size = joined.size();
        return status;
    });
}

int32_t dtrain_pieces_unknown(
    const dtrain_pieces *pieces, const char *text, size_t text_size, char **unknown,
    size_t *unknown_size, char **message) {
    return guarded(message, [&] {
        const auto encoded =
            pieces->processor.EncodeAsImmutableProto(std::string_view(text, text_size));
        std::string found;
        for (size_t i = 0; i < encoded.pieces_size(); ++i) {
            const auto piece = encoded.pieces(static_cast<int>(i));
            if (pieces->processor.IsUnknown(static_cast<int>(piece.id()))) found += piece.surface();
        }
        *unknown = copy<char>(found.data(), found.size());
        *unknown_size = found.size();
        return sentencepiece::util::Status();
    });
}
