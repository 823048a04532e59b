#include "projections/policy/utf8.h"

#include <cstdint>

namespace ledger::policy {
namespace {

// The length of the sequence that `lead` begins and the bounds of its second byte; length 0: no such lead.
struct Sequence {
  size_t length = 0;
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

Sequence SequenceOf(uint8_t lead) {
  if (lead < 0x80) return {1};
  if (lead < 0xC2) return {0};
  if (lead < 0xE0) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

bool IsSequence(absl::string_view text, const Sequence& sequence) {
  if (sequence.length == 0 || sequence.length > text.size()) return false;
  for (size_t i = 1; i < sequence.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t least = i == 1 ? sequence.second_min : 0x80;
    const uint8_t most = i == 1 ? sequence.second_max : 0xBF;
    if (byte < least || byte > most) return false;
  }
  return true;
}

}  // namespace

size_t FirstInvalidUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Sequence sequence = SequenceOf(static_cast<uint8_t>(text[at]));
    if (!IsSequence(text.substr(at), sequence)) return at;
    at += sequence.length;
  }
  return absl::string_view::npos;
}

}  // namespace ledger::policy
