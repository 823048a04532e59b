#include "services/ctl/import/import_run.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/import/append_pipe.h"
#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/event_mapper.h"
#include "services/ctl/import/mapping_file.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;

constexpr size_t kBadRecordsKept = 100;
constexpr uint64_t kRecordsPerProgress = 1000;
constexpr size_t kProducerBytesMax = 128;

bool Before(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() != b.seconds() ? a.seconds() < b.seconds() : a.nanos() < b.nanos();
}

absl::Status CheckOptions(const ImportOptions& options) {
  if (options.events_per_message < 1 || options.events_per_message > 1000 ||
      options.messages_in_flight_max < 1) {
    return absl::InvalidArgumentError(
        "a message takes 1 to 1,000 events, and at least one must be in flight");
  }
  return absl::OkStatus();
}

// The state of one run. Used from one thread.
class Importer {
 public:
  Importer(const ImportOptions& options, EventMapper mapper, ByteSource* source, AppendPipe* pipe,
           ImportSummary* summary)
      : options_(options), mapper_(std::move(mapper)), source_(source), pipe_(pipe), summary_(summary) {}

  void AddBad(const BadRecord& bad) {
    ++summary_->bad;
    ++summary_->records;
    if (summary_->bad_records.size() < kBadRecordsKept) summary_->bad_records.push_back(bad);
  }

  absl::Status Run(RecordReader* reader) {
    LEDGER_ASSIGN_OR_RETURN(sequence_, pipe_->Start());
    SourceRecord record;
    absl::Status read;
    while (true) {
      absl::StatusOr<bool> more = reader->Next(&record);
      read = more.status();
      if (!more.ok() || !*more) break;
      LEDGER_RETURN_IF_ERROR(Take(record));
      if (record.number % kRecordsPerProgress == 0) Report();
    }
    // What was read before the file broke off is good and goes in.
    LEDGER_RETURN_IF_ERROR(Flush());
    LEDGER_RETURN_IF_ERROR(pipe_->Finish());
    Report();
    if (!read.ok()) {
      return absl::Status(read.code(), absl::StrCat(options_.file_path, ": ", read.message()));
    }
    // Everything was passed over as known, and was not: nobody should take that for success.
    if (summary_->records < sequence_) {
      return absl::FailedPreconditionError(
          absl::StrCat("an import of this name has reached record ", sequence_, " and ", options_.file_path,
                       " has only ", summary_->records,
                       ": it is another file, and nothing of it was appended; give it a --name of its own"));
    }
    return absl::OkStatus();
  }

  void Report() const {
    if (!options_.progress) return;
    ImportProgress progress;
    progress.records_read = summary_->records;
    progress.records_bad = summary_->bad;
    progress.events_acknowledged = summary_->skipped + pipe_->events_appended();
    progress.file_bytes_read = source_->file_bytes_read();
    progress.file_bytes_total = source_->file_bytes_total();
    options_.progress(progress);
  }

 private:
  // Every record is mapped, those of an earlier run too: a second run then reports the same bad records, and
  // a simulated ledger's time goes on as it began.
  absl::Status Take(const SourceRecord& record) {
    absl::StatusOr<std::optional<pb::NewEvent>> mapped = mapper_.Map(record);
    if (mapped.ok() && mapped->has_value()) {
      const absl::Status time = TakeTime((*mapped)->event().occurred_time().time());
      if (!time.ok()) mapped = time;
    }
    if (!mapped.ok()) {
      AddBad(BadRecord{record.line, std::string(mapped.status().message())});
      return absl::OkStatus();
    }
    ++summary_->records;
    if (!mapped->has_value()) {
      ++summary_->ignored;
      return absl::OkStatus();
    }
    if (record.number <= sequence_) {
      ++summary_->skipped;
      return absl::OkStatus();
    }
    return Add(record, std::move(**mapped));
  }

  absl::Status TakeTime(const google::protobuf::Timestamp& occurred) {
    if (options_.simulated) {
      if (Before(recorded_, occurred)) recorded_ = occurred;
      return absl::OkStatus();
    }
    if (occurred.seconds() > latest_seconds_) {
      return absl::InvalidArgumentError("the time is more than a day in the future");
    }
    return absl::OkStatus();
  }

  absl::Status Add(const SourceRecord& record, pb::NewEvent event) {
    const size_t bytes = event.ByteSizeLong();
    pb::AppendRequest* append = message_.request.mutable_append();
    if (append->events_size() > 0 && message_bytes_ + bytes > options_.message_bytes_max) {
      LEDGER_RETURN_IF_ERROR(Flush());
      append = message_.request.mutable_append();
    }
    if (append->events_size() == 0) {
      message_.first_record = record.number;
      message_.first_line = record.line;
    }
    message_.last_record = record.number;
    message_.last_line = record.line;
    const std::string& customer = EventMapper::CustomerOf(event.event());
    if (customers_.insert(customer).second) {
      pb::SubjectCheck* check = append->add_checks();
      check->mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
      check->mutable_subject()->set_id(customer);
      check->mutable_any();
    }
    *append->add_events() = std::move(event);
    if (options_.simulated) *append->mutable_recorded_time() = recorded_;
    message_bytes_ += bytes;
    if (append->events_size() >= options_.events_per_message) return Flush();
    return absl::OkStatus();
  }

  absl::Status Flush() {
    if (message_.request.append().events_size() == 0) return absl::OkStatus();
    message_.request.set_producer(summary_->producer);
    message_.request.set_producer_sequence(message_.last_record);
    message_.request.mutable_append()->set_ledger(options_.ledger);
    PipeMessage message = std::move(message_);
    message_ = PipeMessage();
    message_bytes_ = 0;
    customers_.clear();
    LEDGER_RETURN_IF_ERROR(pipe_->Send(std::move(message)));
    Report();
    return absl::OkStatus();
  }

  const ImportOptions& options_;
  EventMapper mapper_;
  ByteSource* source_;
  AppendPipe* pipe_;
  ImportSummary* summary_;
  const int64_t latest_seconds_ = absl::ToUnixSeconds(absl::Now() + absl::Hours(24));
  uint64_t sequence_ = 0;  // records up to here are in the ledger from an earlier run
  google::protobuf::Timestamp recorded_ = [] {
    google::protobuf::Timestamp first;
    first.set_seconds(absl::ToUnixSeconds(absl::FromCivil(absl::CivilYear(1900), absl::UTCTimeZone())));
    return first;
  }();
  PipeMessage message_;  // being filled
  size_t message_bytes_ = 0;
  absl::flat_hash_set<std::string> customers_;  // of the message being filled
};

}  // namespace

ImportRun::ImportRun(ImportOptions options, pb::LedgerService::StubInterface* stub)
    : options_(std::move(options)), stub_(stub) {}

absl::Status ImportRun::Run(ImportSummary* summary) {
  const absl::Time started = absl::Now();
  *summary = ImportSummary();
  const std::string name =
      options_.name.empty() ? std::filesystem::path(options_.file_path).filename().string() : options_.name;
  summary->producer = absl::StrCat("import:", name);
  LEDGER_RETURN_IF_ERROR(CheckOptions(options_));
  if (name.empty() || summary->producer.size() > kProducerBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("an import's name has 1 to ", kProducerBytesMax - 7, " bytes; give a shorter one"));
  }
  LEDGER_ASSIGN_OR_RETURN(EventMapper mapper,
                          EventMapper::Create(options_.mapping, name, options_.phone_region));
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenFile(options_.file_path));

  AppendPipe::Options pipe_options;
  pipe_options.ledger = options_.ledger;
  pipe_options.producer = summary->producer;
  pipe_options.messages_in_flight_max = options_.messages_in_flight_max;
  pipe_options.retries_max = options_.retries_max;
  pipe_options.retry_wait_first = options_.retry_wait_first;
  pipe_options.retry_wait_max = options_.retry_wait_max;
  AppendPipe pipe(pipe_options, stub_);

  Importer importer(options_, std::move(mapper), source.get(), &pipe, summary);
  LEDGER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader,
                          MakeReader(options_.mapping, std::move(source),
                                     [&importer](const BadRecord& bad) { importer.AddBad(bad); }));
  const absl::Status status = importer.Run(reader.get());
  summary->appended = pipe.events_appended();
  summary->elapsed = absl::Now() - started;
  return status;
}

}  // namespace ledger::ctl
