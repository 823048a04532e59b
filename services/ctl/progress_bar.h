#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ledger::ctl {

// Shows how far something long has come. On a terminal: one line that redraws itself. Elsewhere: a plain line
// with a percentage every two seconds, and nothing at all for what ends within two seconds. Not thread-safe.
class ProgressBar {
 public:
  // `out` must outlive the bar; `clock` gives the present.
  ProgressBar(std::ostream& out, bool is_terminal, std::string label, std::function<absl::Time()> clock);
  // Finishes the line if nobody did.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `done` of `total` steps; a total of 0 is not known yet. `note` says what is being done.
  void Update(uint64_t done, uint64_t total, absl::string_view note = "");

  // Takes the line away on a terminal, so that other text can follow; the next Update draws it again.
  void Clear();

  // Draws the last state, whatever the time, and ends the line; prints nothing where nothing was shown.
  void Finish();

 private:
  void Draw();

  std::ostream& out_;
  const bool is_terminal_;
  const std::string label_;
  const std::function<absl::Time()> clock_;
  const absl::Time start_;
  absl::Time drawn_ = absl::InfinitePast();
  std::string text_;
  bool shown_ = false;    // something was printed
  bool on_line_ = false;  // the terminal's line holds the bar
  bool finished_ = false;
};

}  // namespace ledger::ctl
