#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "customerledger/v1/common.pb.h"
#include "google/protobuf/message.h"
#include "services/ctl/session.h"

// Parts of answers in words, for tables.
namespace ledger::ctl {

// "liu", "unit:shop-1 (station)", "nobody".
std::string Describe(const customerledger::v1::Owner& owner);

// "claim.first-position (policy version 1)"; "" where there is no rule.
std::string RuleOf(const customerledger::v1::Basis& basis);

// "5, 7"; "" where no event decided.
std::string PositionsOf(const customerledger::v1::Basis& basis);

// "customer guest-1".
std::string Describe(const customerledger::v1::Subject& subject);

// The set fields of `message` as "name=value, ...", times in the session's zone, without the fields named
// `leave_out`.
std::string DescribeFields(Session& session, const google::protobuf::Message& message,
                           absl::string_view leave_out = "");

}  // namespace ledger::ctl
