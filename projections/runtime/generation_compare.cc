#include "projections/runtime/generation_compare.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "projections/runtime/list_index.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

// Compared in stretches, so that memory does not grow with the ledger.
constexpr size_t kStretch = 1000;

// What a row answers, as bytes. A row that makes no sense answers like no other.
std::string AnswersOf(ProjectionKind kind, const policy::Timeline& timeline, const std::string& bytes) {
  ViewRow row;
  rules::CustomerState state;
  if (!row.ParseFromString(bytes) || !state.ParseFromString(row.state()))
    return absl::StrCat("damaged ", bytes);
  if (!row.merged_into().empty()) return absl::StrCat("alias of ", row.merged_into());
  std::string answers = absl::StrCat("parked ", row.parked_position(), "\n");
  if (row.last_position() == 0) return answers;
  const absl::Time at = TimeOf(row.last_seconds(), row.last_nanos());
  const auto add = [&answers](const auto& messages) {
    for (const auto& message : messages) absl::StrAppend(&answers, message.SerializeAsString(), "\n");
  };
  switch (kind) {
    case ProjectionKind::kOwner:
      add(rules::ReadOwnerships(timeline, state, at));
      break;
    case ProjectionKind::kTier:
      add(rules::ReadTiers(timeline, state, at));
      break;
    case ProjectionKind::kCallback:
      add(rules::ReadCallbacks(timeline, state, at));
      break;
  }
  for (const auto& [key, value] : ListRows(kind, timeline, "", state))
    absl::StrAppend(&answers, key, value, "\n");
  return answers;
}

// Reads the next customers' rows, beginning at `from` (a key after the generation's prefix).
absl::StatusOr<Rows> ReadStretch(const views::ViewStore& store, const views::ViewSnapshot& moment,
                                 const std::string& prefix, const std::string& from) {
  Rows rows;
  const std::string table = absl::StrCat(prefix, std::string(1, kCustomerTable));
  LEDGER_RETURN_IF_ERROR(store.Scan(
      absl::StrCat(prefix, from), views::PrefixEnd(table),
      [&](absl::string_view key, absl::string_view value) {
        rows.emplace_back(std::string(key.substr(prefix.size())), std::string(value));
        return rows.size() < kStretch;
      },
      &moment));
  return rows;
}

// Walks one generation's rows in order.
class Walker {
 public:
  Walker(const views::ViewStore& store, const views::ViewSnapshot& moment, const GenerationName& name)
      : store_(store),
        moment_(moment),
        prefix_(RowPrefix(name.ledger, name.kind, name.generation)),
        next_from_(1, kCustomerTable) {}

  // Moves to the next row; false at the end.
  absl::StatusOr<bool> Next() {
    if (++at_ < rows_.size()) return true;
    if (ended_) return false;
    LEDGER_ASSIGN_OR_RETURN(rows_, ReadStretch(store_, moment_, prefix_, next_from_));
    at_ = 0;
    ended_ = rows_.size() < kStretch;
    if (rows_.empty()) return false;
    next_from_ = absl::StrCat(rows_.back().first, std::string(1, '\0'));
    return true;
  }
  const std::string& key() const { return rows_[at_].first; }
  const std::string& value() const { return rows_[at_].second; }

 private:
  const views::ViewStore& store_;
  const views::ViewSnapshot& moment_;
  const std::string prefix_;
  std::string next_from_;
  Rows rows_;
  size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<uint64_t> CountDiffering(const views::ViewStore& store, const views::ViewSnapshot& moment,
                                        TimelineStore& timelines, const GenerationName& live,
                                        const GenerationName& built, uint64_t position) {
  LEDGER_ASSIGN_OR_RETURN(const auto timeline, timelines.TimelineAt(live.ledger, position));
  Walker a(store, moment, live);
  Walker b(store, moment, built);
  LEDGER_ASSIGN_OR_RETURN(bool has_a, a.Next());
  LEDGER_ASSIGN_OR_RETURN(bool has_b, b.Next());
  uint64_t differing = 0;
  while (has_a || has_b) {
    const bool takes_a = has_a && (!has_b || a.key() <= b.key());
    const bool takes_b = has_b && (!has_a || b.key() <= a.key());
    if (!takes_a || !takes_b) {
      ++differing;  // one of them does not know the customer
    } else if (a.value() != b.value() &&
               AnswersOf(live.kind, *timeline, a.value()) != AnswersOf(built.kind, *timeline, b.value())) {
      ++differing;
    }
    if (takes_a) {
      LEDGER_ASSIGN_OR_RETURN(has_a, a.Next());
    }
    if (takes_b) {
      LEDGER_ASSIGN_OR_RETURN(has_b, b.Next());
    }
  }
  return differing;
}

}  // namespace ledger::runtime
