#pragma once

#include <memory>
#include <set>

#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "services/ledger/prepare.h"
#include "services/ledger/sequencer.h"
#include "storage/mutex.h"

namespace ledger::services {

// The server's open AppendStream calls. Each keeps at most a window of messages in the sequencer and reads the next one
// only when there is room: a busy server slows its callers down and refuses none of their messages. Thread-safe.
class AppendStreams {
 public:
  using Reactor = grpc::ServerBidiReactor<customerledger::v1::AppendStreamRequest,
                                          customerledger::v1::AppendStreamResponse>;

  static constexpr int kStreamsMax = 256;
  static constexpr int kWindowMessages = 16;
  static constexpr size_t kWindowBytes = 8 << 20;

  AppendStreams(Preparer& preparer, Sequencer& sequencer);
  ~AppendStreams();

  // A reactor that deletes itself when the call is over.
  Reactor* Open(grpc::CallbackServerContext* context) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets no stream read any more, answers what was read, and ends them. New ones are refused.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Stream;
  friend class Stream;

  void Forget(Stream* stream) ABSL_LOCKS_EXCLUDED(mutex_);

  Preparer& preparer_;
  Sequencer& sequencer_;
  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::services
