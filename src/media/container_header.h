// How much audio the headers of uncompressed containers promise: libsndfile silently cuts the number to what the file
// holds, and a player deserves to know that its file was cut short.
#pragma once

#include <cstdint>
#include <optional>

#include "src/media/file_reader.h"

namespace lacquer::media {

// Bytes of audio after the header of a RIFF/RF64 WAVE (EBU Tech 3306), AIFF/AIFC or AU file. nullopt for everything
// else, and for the sizes that mean "written to a pipe, unknown": 0 and everything from 0x7fff0000 on in 32 bits.
std::optional<std::int64_t> promised_audio_bytes(FileReader& file);

// The format tag of a RIFF or RF64 WAVE file (1 PCM, 3 float, 0x55 MP3, ...), 0 for everything else.
int wave_format_tag(FileReader& file);

// A recorder that was stopped hard leaves a WAVE header that says "no audio" in front of all the audio. When the data
// chunk's size is 0 and the RIFF size knows of nothing behind it either, makes `file` read as of unknown length.
void repair_unset_wave_size(FileReader& file);

// Bytes of one sample of libsndfile's `format`; 0 when it is not plain PCM or float.
int bytes_per_pcm_sample(int format) noexcept;

}  // namespace lacquer::media
