#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "services/ctl/import/mapping.pb.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// How far an import is.
struct ImportProgress {
  uint64_t records_read = 0;         // of the file, bad ones included
  uint64_t records_bad = 0;          // so far
  uint64_t events_acknowledged = 0;  // on disk, those of an earlier run included
  uint64_t file_bytes_read = 0;      // as stored, so compressed for gzip
  uint64_t file_bytes_total = 0;     // 0: not known
};

// What to import, and how.
struct ImportOptions {
  std::string ledger;     // its name
  std::string file_path;  // plain or gzip
  Mapping mapping;
  // Names the import: running it again under the same name goes on where it ended. Empty: the file's name
  // without its folders. The ledger knows it as "import:" and this name.
  std::string name;
  // On a ledger created as simulated, and only there: recorded time follows the latest occurred time.
  bool simulated = false;
  std::string phone_region;            // of the ledger's policy: what it takes for a phone number is no id
  int events_per_message = 500;        // 1 to 1,000
  size_t message_bytes_max = 1 << 20;  // a message is closed before its events grow beyond this
  size_t messages_in_flight_max = 16;  // sent and not yet answered; bounds what is kept in memory
  // After a lost connection: how often to try again without any progress, and the wait before each try, which
  // doubles from the first to the longest.
  int retries_max = 8;
  absl::Duration retry_wait_first = absl::Milliseconds(200);
  absl::Duration retry_wait_max = absl::Seconds(10);
  // Called from Run's thread every thousand records, after every message and at the end. May be empty.
  std::function<void(const ImportProgress&)> progress;
};

// What came of an import.
struct ImportSummary {
  std::string producer;                // under which name the ledger keeps it
  uint64_t records = 0;                // good and bad
  uint64_t appended = 0;               // events that this run put into the ledger
  uint64_t skipped = 0;                // good records whose events an earlier run had put there
  uint64_t ignored = 0;                // good records that the mapping ignores
  uint64_t bad = 0;                    // records that could not be used
  std::vector<BadRecord> bad_records;  // the first hundred of them
  absl::Duration elapsed;
};

// One import of one file into one ledger through LedgerService.AppendStream. May be killed at any moment: the
// ledger keeps, with the events, up to which record it has them, and the next run goes on from there. For one
// object, Run is called once.
class ImportRun {
 public:
  // `stub` must outlive the run.
  ImportRun(ImportOptions options, customerledger::v1::LedgerService::StubInterface* stub);

  // Reads, maps and appends the whole file. `*summary` is filled whatever is returned.
  //
  // kInvalidArgument:    options, mapping or file make no sense; what stands before the place named is
  //                      appended. Also: the ledger refused a message as malformed.
  // kDataLoss:           the file is cut off or damaged; likewise.
  // kNotFound:           no such file, or no such ledger.
  // kUnavailable:        the ledger cannot be reached, or not any more; run again later.
  // kAborted:            another run imports under the same name at this moment.
  // kFailedPrecondition: the file ends before the record up to which the ledger has an import of this name: it
  //                      is another file. Nothing was appended.
  // Others:              the ledger refused a message; the text names its records. Nothing of it was appended,
  //                      but later messages already on their way may have been: the text says so.
  absl::Status Run(ImportSummary* summary);

 private:
  ImportOptions options_;
  customerledger::v1::LedgerService::StubInterface* stub_;
};

}  // namespace ledger::ctl
