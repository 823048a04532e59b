#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "storage/mutex.h"

namespace ledger::ctl {

// One message of an import on its way.
struct PipeMessage {
  customerledger::v1::AppendStreamRequest request;  // its producer and sequence set; the pipe numbers it
  uint64_t first_record = 0;
  uint64_t last_record = 0;
  uint64_t first_line = 0;
  uint64_t last_line = 0;
};

// Brings the messages of one import to the ledger in order, several in flight, each exactly once: what was not
// answered when a connection broke is settled through GetProducer and sent again. Used from one thread, beside
// its own which reads the answers.
class AppendPipe {
 public:
  struct Options {
    std::string ledger;
    std::string producer;
    size_t messages_in_flight_max = 16;
    int retries_max = 8;
    absl::Duration retry_wait_first = absl::Milliseconds(200);
    absl::Duration retry_wait_max = absl::Seconds(10);
  };

  // `stub` must outlive the pipe.
  AppendPipe(Options options, customerledger::v1::LedgerService::StubInterface* stub);
  // Cancels what is under way. Messages not answered may or may not be appended.
  ~AppendPipe();
  AppendPipe(const AppendPipe&) = delete;
  AppendPipe& operator=(const AppendPipe&) = delete;

  // Asks up to which record the ledger has this import's events; 0: none. To be called first, once. Does not
  // retry, so that a wrong address is told at once.
  absl::StatusOr<uint64_t> Start() ABSL_LOCKS_EXCLUDED(mutex_);

  // Sends a message, waiting while too many are in flight. Its records follow those of the message before.
  // Errors: as ImportRun::Run; nothing can be sent afterwards.
  absl::Status Send(PipeMessage message) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until every message is answered, and ends the stream. Errors: as Send.
  absl::Status Finish() ABSL_LOCKS_EXCLUDED(mutex_);

  // Events on disk through this pipe, answered so far.
  uint64_t events_appended() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Stream = grpc::ClientReaderWriterInterface<customerledger::v1::AppendStreamRequest,
                                                   customerledger::v1::AppendStreamResponse>;

  absl::StatusOr<uint64_t> AskSequence();
  void Connect();
  // Ends the connection and joins its reader; how the server ended it.
  grpc::Status Disconnect(bool cancel) ABSL_LOCKS_EXCLUDED(mutex_);
  // Connects again after a break, settles what was in flight and sends the rest again.
  absl::Status Recover() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Settle(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mutex_);
  bool Resend() ABSL_LOCKS_EXCLUDED(mutex_);
  // After a refusal: waits for the answers to what was sent behind it, and says what came of all.
  absl::Status Refused() ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadAnswers(Stream* stream) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakeAnswer(const customerledger::v1::AppendStreamResponse& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  customerledger::v1::LedgerService::StubInterface* const stub_;

  // The connection. Not set between two.
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<Stream> stream_;
  std::thread reader_;
  int retries_ = 0;             // since the last progress
  uint64_t progress_seen_ = 0;  // answers_ when retries_ was last reset
  uint64_t correlation_ = 0;    // the last one given out

  mutable Mutex mutex_;
  CondVar changed_;
  // Sent and not answered, oldest first. Shared, because an answer may arrive while its message is still being
  // written.
  std::deque<std::shared_ptr<PipeMessage>> in_flight_ ABSL_GUARDED_BY(mutex_);
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // the server sends no more answers on this connection
  uint64_t answers_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t events_appended_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_record_appended_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);         // of the first refused message
  uint64_t refused_record_ ABSL_GUARDED_BY(mutex_) = 0;  // that message's last record
};

}  // namespace ledger::ctl
