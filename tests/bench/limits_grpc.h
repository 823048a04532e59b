#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/query_service.pb.h"
#include "tests/bench/group_committer.h"

namespace ledger::bench {

// What a bare server answers, whatever it is asked: messages that the ledger sent.
struct BareAnswers {
  customerledger::v1::AppendResponse append;
  std::vector<customerledger::v1::SubscribeResponse> log;
  customerledger::v1::GetOwnerResponse owner;
};

// gRPC without a ledger behind it: the same services, messages and callback API, on a port of its own. Thread-safe.
class BareServer {
 public:
  // `committer` makes appends durable before they are answered; nullptr: they are answered at once. It must outlive this.
  static absl::StatusOr<std::unique_ptr<BareServer>> Start(BareAnswers answers, GroupCommitter* committer);
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  const std::string& address() const;

 private:
  struct Rep;
  explicit BareServer(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace ledger::bench
