// Decoders of real files that fail or block on purpose.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "src/chunk_renderer.h"

namespace lacquer::test {

// What befalls the decoders that open() makes; may be changed while they work.
class DecoderFaults {
public:
    struct Fault {
        int times = -1;                   // opened decoders it befalls; -1: all
        std::int64_t from_frame = 0;      // of the track: frames before it are read
        std::error_code code{};           // none: the decoder's own error
        bool blocks = false;              // instead of failing, until release() is called
        std::optional<int> concurrent{};  // fails only while more decoders than this are open
        int gather = 0;                   // the first to read wait until as many are open
    };

    void set(Fault fault) {
        const std::lock_guard lock(mutex_);
        fault_ = fault;
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        fault_.reset();
    }
    void release() {
        {
            const std::lock_guard lock(mutex_);
            released_ = true;
        }
        changed_.notify_all();
    }
    ~DecoderFaults() { release(); }
    int blocked() const {
        const std::lock_guard lock(mutex_);
        return blocked_;
    }
    int opened() const { return opened_; }

    // Shared: a decoder that blocks may outlive the test's own frame.
    static media::OpenDecoder opener(const std::shared_ptr<DecoderFaults>& faults) {
        return [faults](const std::filesystem::path& file, const media::MediaInfo& info) {
            return std::make_unique<Faulty>(faults, media::open_decoder(file, info));
        };
    }

private:
    class Faulty final : public media::Decoder {
    public:
        Faulty(std::shared_ptr<DecoderFaults> faults, std::unique_ptr<media::Decoder> decoder)
            : faults_(std::move(faults)), decoder_(std::move(decoder)) {
            {
                const std::lock_guard lock(faults_->mutex_);
                ++faults_->opened_;
                ++faults_->open_;
            }
            faults_->changed_.notify_all();
        }
        ~Faulty() override { --faults_->open_; }
        const media::MediaInfo& info() const noexcept override { return decoder_->info(); }
        void seek(std::int64_t frame) override {
            decoder_->seek(frame);
            frame_ = frame;
        }
        std::size_t read(dsp::AudioBlock out) override {
            const std::size_t count = faults_->befall(frame_, out.frame_count, befallen_);
            if (count == 0) return 0;
            const std::size_t got = decoder_->read(out.slice(0, count));
            frame_ += static_cast<std::int64_t>(got);
            return got;
        }

    private:
        const std::shared_ptr<DecoderFaults> faults_;
        const std::unique_ptr<media::Decoder> decoder_;
        std::int64_t frame_ = 0;
        bool befallen_ = false;
    };

    // How many of `frames` can be read.
    std::size_t befall(std::int64_t frame, std::size_t frames, bool& befallen) {
        std::unique_lock lock(mutex_);
        if (!fault_) return frames;
        const Fault fault = *fault_;
        if (frame < fault.from_frame)
            return std::min<std::size_t>(frames, static_cast<std::size_t>(fault.from_frame - frame));
        if (fault.gather > 0) {
            changed_.wait(lock, [&] { return open_ >= fault.gather || fault_->gather == 0; });
            fault_->gather = 0;
            changed_.notify_all();
        }
        if (fault.concurrent && open_ <= *fault.concurrent) return frames;
        if (!befallen && fault.times == 0) return frames;
        if (!std::exchange(befallen, true) && fault.times > 0) --fault_->times;
        if (!fault.blocks) throw media::DecodeError("the test breaks it", fault.code);
        ++blocked_;
        changed_.wait(lock, [&] { return released_; });
        --blocked_;
        return frames;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Fault> fault_;
    bool released_ = false;
    int blocked_ = 0;
    std::atomic<int> opened_ = 0, open_ = 0;
};

}  // namespace lacquer::test
