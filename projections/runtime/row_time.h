#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>

#include "absl/time/time.h"

// Instants as messages hold them: seconds since 1970, rounded down, and nanoseconds.
namespace ledger::runtime {

inline int64_t SecondsOf(absl::Time time) { return absl::ToUnixSeconds(time); }
inline int32_t NanosOf(absl::Time time) {
  return static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(absl::ToUnixSeconds(time))));
}
inline absl::Time TimeOf(int64_t seconds, int32_t nanos) {
  return absl::FromUnixSeconds(seconds) + absl::Nanoseconds(nanos);
}
inline absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return TimeOf(time.seconds(), time.nanos());
}
// Requires: `time` is finite.
inline void SetTimestamp(absl::Time time, google::protobuf::Timestamp* timestamp) {
  timestamp->set_seconds(SecondsOf(time));
  timestamp->set_nanos(NanosOf(time));
}

}  // namespace ledger::runtime
