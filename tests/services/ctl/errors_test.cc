#include "services/ctl/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/cord.h"
#include "customerledger/v1/error.pb.h"

namespace ledger::ctl {
namespace {

using ::testing::HasSubstr;

TEST(ErrorsTest, EveryCodeHasItsExitCode) {
  using Code = absl::StatusCode;
  const std::pair<Code, int> expected[] = {{Code::kOk, 0},
                                           {Code::kUnknown, 1},
                                           {Code::kInternal, 1},
                                           {Code::kUnimplemented, 1},
                                           {Code::kInvalidArgument, 2},
                                           {Code::kOutOfRange, 2},
                                           {Code::kFailedPrecondition, 3},
                                           {Code::kPermissionDenied, 3},
                                           {Code::kAborted, 3},
                                           {Code::kAlreadyExists, 3},
                                           {Code::kUnauthenticated, 3},
                                           {Code::kNotFound, 4},
                                           {Code::kUnavailable, 5},
                                           {Code::kDeadlineExceeded, 5},
                                           {Code::kResourceExhausted, 5},
                                           {Code::kDataLoss, 6},
                                           {Code::kCancelled, 130}};
  for (const auto& [code, exit] : expected) {
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "x")), exit) << absl::StatusCodeToString(code);
  }
}

TEST(ErrorsTest, PrintsReasonMessageNumbersAndTheNextStep) {
  customerledger::v1::ErrorInfo info;
  info.set_reason("NOT_THE_RECEIVER");
  (*info.mutable_metadata())["transfer_id"] = "t-1\n";
  (*info.mutable_metadata())["rule_id"] = "hand-over.two-steps";
  absl::Status status = absl::PermissionDeniedError("only wang may accept");
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  EXPECT_EQ(ReasonOf(status), "NOT_THE_RECEIVER");
  std::ostringstream err;
  PrintError(err, WithNextStep(status, "ask wang"), "127.0.0.1:7420");
  EXPECT_EQ(err.str(),
            "ledgerctl: NOT_THE_RECEIVER: only wang may accept\n"
            "  rule_id: hand-over.two-steps\n"
            "  transfer_id: t-1\\n\n"
            "  next: ask wang\n");
}

TEST(ErrorsTest, WithoutAServerSaysHowToReachOne) {
  std::ostringstream err;
  PrintError(err, absl::UnavailableError("connection refused"), "10.0.0.1:7420");
  EXPECT_THAT(err.str(), HasSubstr("is ledgerd running at 10.0.0.1:7420"));
  EXPECT_THAT(err.str(), HasSubstr("UNAVAILABLE: connection refused"));
}

TEST(ErrorsTest, AReasonInTheMessageIsEnough) {
  std::ostringstream err;
  PrintError(err, absl::NotFoundError("NO_DATA: /srv/x holds no ledgers"), "x");
  EXPECT_EQ(err.str(), "ledgerctl: NO_DATA: /srv/x holds no ledgers\n");
}

TEST(ErrorsTest, PrintsHowLongToWait) {
  customerledger::v1::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  absl::Status status = absl::ResourceExhaustedError("queue full");
  status.SetPayload(kRetryInfoUrl, absl::Cord(retry.SerializeAsString()));
  std::ostringstream err;
  PrintError(err, status, "x");
  EXPECT_THAT(err.str(), HasSubstr("  wait: 1500 ms\n"));
}

TEST(ErrorsTest, AnInterruptIsToldFromTheServersCancellation) {
  EXPECT_TRUE(IsInterrupted(InterruptedError()));
  EXPECT_FALSE(IsInterrupted(absl::CancelledError("interrupted")));
}

}  // namespace
}  // namespace ledger::ctl
