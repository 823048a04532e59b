#include "services/ctl/progress_bar.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ledger::ctl {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kLineEvery = absl::Seconds(2);
constexpr uint64_t kBarWidth = 30;

std::string Describe(const std::string& label, bool bar, uint64_t done, uint64_t total,
                     absl::string_view note, absl::Duration elapsed) {
  std::string text = label;
  if (total == 0) {
    absl::StrAppend(&text, " ", done);
  } else {
    done = std::min(done, total);
    // The share is taken in integers of limited size, so that no position can overflow it.
    const uint64_t scale = std::max<uint64_t>(1, total / 1'000'000'000);
    const uint64_t of = std::max<uint64_t>(1, total / scale);
    const uint64_t at = std::min(done / scale, of);
    if (bar) {
      const uint64_t filled = at * kBarWidth / of;
      absl::StrAppend(&text, " [", std::string(filled, '#'), std::string(kBarWidth - filled, '.'), "]");
    }
    absl::StrAppendFormat(&text, " %3d%%  %d of %d", at * 100 / of, done, total);
  }
  if (elapsed > absl::Seconds(1) && done > 0) {
    const auto per_second = static_cast<uint64_t>(static_cast<double>(done) / absl::ToDoubleSeconds(elapsed));
    absl::StrAppend(&text, "  ", per_second, "/s");
  }
  if (!note.empty()) absl::StrAppend(&text, "  ", note);
  return text;
}

}  // namespace

ProgressBar::ProgressBar(std::ostream& out, bool is_terminal, std::string label,
                         std::function<absl::Time()> clock)
    : out_(out),
      is_terminal_(is_terminal),
      label_(std::move(label)),
      clock_(std::move(clock)),
      start_(clock_()) {}

ProgressBar::~ProgressBar() { Finish(); }

void ProgressBar::Update(uint64_t done, uint64_t total, absl::string_view note) {
  const absl::Time now = clock_();
  text_ = Describe(label_, is_terminal_, done, total, note, now - start_);
  if (is_terminal_ ? now - drawn_ >= kRedraw : now - std::max(start_, drawn_) >= kLineEvery) {
    drawn_ = now;
    Draw();
  }
}

void ProgressBar::Clear() {
  if (on_line_) out_ << "\r\x1b[K" << std::flush;
  on_line_ = false;
}

void ProgressBar::Finish() {
  if (finished_) return;
  finished_ = true;
  if (!shown_ || text_.empty()) return;
  Draw();
  if (is_terminal_) out_ << '\n' << std::flush;
  on_line_ = false;
}

void ProgressBar::Draw() {
  shown_ = true;
  if (is_terminal_) {
    out_ << '\r' << text_ << "\x1b[K" << std::flush;
    on_line_ = true;
  } else {
    out_ << text_ << '\n' << std::flush;
  }
}

}  // namespace ledger::ctl
