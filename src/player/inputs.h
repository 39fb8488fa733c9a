// What was given on the command line, track by track: files, folders, playlists and URLs, and playlists within
// playlists.
//
// Method:  files and folders are resolved (media:: opens no symbolic link), links inside folders are not followed. A
//          folder's files come in natural order, playlists within folders do not count. A playlist that came over HTTP
//          names nothing but URLs: what is written there must not have files of this machine opened.
// Bounds:  kMaxInputs, 8 playlists within one another, 1000 in all, folders 64 deep.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "src/player/url.h"
#include "src/player/url_fetch.h"

namespace lacquer::player {

inline constexpr std::size_t kMaxInputs = 100'000;

struct Input {
    std::string name;   // for people: as given, or below what was given; without passwords and tokens
    std::string title;  // as a playlist has it; empty: the file's own is to be had
    std::variant<std::filesystem::path, Url> source;
};

struct InputProblem {
    std::string name;
    std::string reason;
};

struct Inputs {
    std::vector<Input> items;
    std::vector<InputProblem> problems;  // in the order they were met
};

struct InputSources {
    // A playlist, at most kMaxPlaylistBytes. Throws std::runtime_error, whose text becomes the reason.
    std::function<FetchedText(const Url&)> fetch;
    std::function<bool()> cancelled = [] { return false; };  // then what was found so far is returned
};

// Throws nothing for what cannot be had: that is a problem of its own.
Inputs expand_inputs(std::span<const std::string> given, const InputSources& sources);

}  // namespace lacquer::player
