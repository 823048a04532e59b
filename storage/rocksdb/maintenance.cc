#include "storage/rocksdb/maintenance.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "openssl/rand.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/utilities/backup_engine.h"
#include "storage/rocksdb/log_database.h"
#include "storage/status_macros.h"

namespace ledger::storage {
namespace {

namespace fs = std::filesystem;
namespace pb = ::customerledger::v1;

constexpr char kMarker[] = "BACKUP";
constexpr char kMarkerStart[] = "customer ledger backup, format ";
constexpr uint64_t kBackupFormat = 1;

absl::Status Refused(absl::string_view what, const std::error_code& error) {
  return absl::UnavailableError(absl::StrCat("DISK_REFUSED: ", what, ": ", error.message()));
}

// Syncs one file or directory.
bool Sync(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return ok;
}

// Writes a file whole or not at all, and syncs it.
absl::Status WriteFile(const std::string& path, absl::string_view bytes) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0640);
  bool ok = fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
            ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  ok = ok && ::rename(temporary.c_str(), path.c_str()) == 0 && Sync(fs::path(path).parent_path());
  return ok ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("DISK_REFUSED: cannot write ", path));
}

// Syncs a directory with everything in it.
absl::Status SyncTree(const std::string& directory) {
  std::error_code error;
  bool ok = Sync(directory);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory, error)) {
    ok = ok && Sync(entry.path());
  }
  return ok && !error ? absl::OkStatus()
                      : absl::UnavailableError(absl::StrCat("DISK_REFUSED: cannot sync ", directory));
}

// True where `path` is `directory` or lies in it; both absolute and normal.
bool IsWithin(const fs::path& path, const fs::path& directory) {
  const fs::path relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != "..";
}

absl::Status CheckVault(const std::string& directory) {
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<vault::Vault> keys, vault::Vault::Open(directory));
  return keys->VerifyAll([](uint64_t, const absl::Status&) {});
}

bool IsEmptyOrMissing(const std::string& directory) {
  std::error_code error;
  return !fs::exists(directory, error) ||
         (fs::is_directory(directory, error) && fs::is_empty(directory, error));
}

// OK if `directory` holds a backup. kNotFound: it does not. kFailedPrecondition: one of a newer format.
absl::Status CheckIsBackup(const std::string& directory) {
  std::ifstream file(absl::StrCat(directory, "/", kMarker));
  std::string line;
  if (!std::getline(file, line) || !absl::StartsWith(line, kMarkerStart)) {
    return absl::NotFoundError(absl::StrCat("NOT_A_BACKUP: there is no backup in ", directory));
  }
  uint64_t format = 0;
  if (!absl::SimpleAtoi(line.substr(std::string(kMarkerStart).size()), &format) || format == 0) {
    return absl::DataLossError(absl::StrCat("BACKUP_DAMAGED: the marker of ", directory, " cannot be read"));
  }
  if (format > kBackupFormat) {
    return absl::FailedPreconditionError(absl::StrCat("FORMAT_IS_NEWER: the backup in ", directory,
                                                      " has format ", format, "; this release reads up to ",
                                                      kBackupFormat, ". Use the release that wrote it."));
  }
  return absl::OkStatus();
}

// Engine is BackupEngine, or BackupEngineReadOnly, which tidies nothing up.
template <typename Engine>
absl::StatusOr<std::unique_ptr<Engine>> OpenEngine(const std::string& directory) {
  rocksdb::BackupEngineOptions options(directory + "/log");
  options.sync = true;
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  Engine* raw = nullptr;
  const rocksdb::Status status = Engine::Open(rocksdb::Env::Default(), options, &raw);
  if (!status.ok()) return FromRocks(status, absl::StrCat("cannot open the backup in ", directory));
  return std::unique_ptr<Engine>(raw);
}

// Keeps the log's commit rows for a scope.
class CommitRowsKept {
 public:
  explicit CommitRowsKept(RocksEventLog& log) : log_(log) { log_.KeepCommitRows(true); }
  ~CommitRowsKept() { log_.KeepCommitRows(false); }
  CommitRowsKept(const CommitRowsKept&) = delete;
  CommitRowsKept& operator=(const CommitRowsKept&) = delete;

 private:
  RocksEventLog& log_;
};

// Says in every ledger's log that a lineage begins.
absl::Status StartLineage(RocksEventLog& log, const std::string& lineage) {
  log.StageLineage(lineage);
  for (const LedgerIdentity& ledger : log.Ledgers()) {
    PendingEvent event;
    event.subjects = {{pb::SUBJECT_KIND_LEDGER, "ledger"}};
    event.header.mutable_who()->set_principal("ledgerctl restore");
    event.header.mutable_who()->set_authentication(pb::AUTHENTICATION_LOCAL);
    pb::LineageStarted& started = *event.event.mutable_lineage_started();
    started.set_lineage(lineage);
    started.set_previous_lineage(log.lineage());
    started.set_restored_position(log.CommittedPosition(ledger.number));
    // A simulated ledger's time stands still: only its callers move it.
    const absl::Time now = ledger.simulated ? log.CommittedTime(ledger.number) : absl::Now();
    event.event.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(now));
    Transaction transaction;
    transaction.ledger = ledger.number;
    transaction.recorded_time = now;
    transaction.events.push_back(std::move(event));
    LEDGER_RETURN_IF_ERROR(log.Stage(std::move(transaction)).status());
  }
  return log.Commit(log.Seal());
}

}  // namespace

absl::StatusOr<uint64_t> CreateBackup(RocksEventLog& log, vault::Vault& vault,
                                      const std::string& data_directory, const std::string& directory,
                                      const std::function<void(absl::string_view)>& progress) {
  const fs::path target = fs::path(directory).lexically_normal();
  const fs::path data = fs::absolute(data_directory).lexically_normal();
  if (!target.is_absolute() || IsWithin(target, data)) {
    return absl::InvalidArgumentError(
        absl::StrCat("BAD_DIRECTORY: '", directory,
                     "' must be an absolute path on the server's machine outside its data directory"));
  }
  if (!IsEmptyOrMissing(directory) && !CheckIsBackup(directory).ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "NOT_A_BACKUP: ", directory, " holds something else; name an empty or missing directory"));
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Refused(absl::StrCat("cannot make ", directory), error);
  LEDGER_RETURN_IF_ERROR(
      WriteFile(absl::StrCat(directory, "/", kMarker), absl::StrCat(kMarkerStart, kBackupFormat, "\n")));

  progress("head");
  const CommitRowsKept commit_rows_kept(log);
  const uint64_t commit = log.CommitNumber();
  LEDGER_ASSIGN_OR_RETURN(const std::string head, log.HeadImage());
  progress("log");
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::BackupEngine> engine,
                          OpenEngine<rocksdb::BackupEngine>(directory));
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = true;
  LEDGER_RETURN_IF_ERROR(FromRocks(engine->CreateNewBackup(options, &log.database()), "cannot copy the log"));
  std::vector<rocksdb::BackupInfo> backups;
  engine->GetBackupInfo(&backups);
  progress("check of the copy");
  LEDGER_RETURN_IF_ERROR(
      FromRocks(engine->VerifyBackup(backups.back().backup_id, /*verify_with_checksum=*/true),
                "the copy of the log is damaged"));
  progress("vault");
  const std::string vault_copy = absl::StrCat(directory, "/vault-", backups.back().backup_id);
  LEDGER_RETURN_IF_ERROR(vault.CopyTo(vault_copy));
  // The head makes the copy count: it is written last, and the older ones are dropped after it.
  LEDGER_RETURN_IF_ERROR(WriteFile(absl::StrCat(directory, "/head-", backups.back().backup_id), head));
  LEDGER_RETURN_IF_ERROR(
      WriteFile(absl::StrCat(directory, "/latest"), absl::StrCat(backups.back().backup_id, "\n")));
  for (const rocksdb::BackupInfo& info : backups) {
    if (info.backup_id == backups.back().backup_id) continue;
    fs::remove_all(absl::StrCat(directory, "/vault-", info.backup_id), error);
    fs::remove(absl::StrCat(directory, "/head-", info.backup_id), error);
  }
  LEDGER_RETURN_IF_ERROR(FromRocks(engine->PurgeOldBackups(1), "cannot drop the earlier backup"));
  return commit;
}

absl::Status RestoreBackup(const std::string& from, const std::string& to,
                           const std::function<void(absl::string_view)>& progress) {
  LEDGER_RETURN_IF_ERROR(CheckIsBackup(from));
  if (!IsEmptyOrMissing(to)) {
    return absl::FailedPreconditionError(
        absl::StrCat("NOT_EMPTY: ", to, " holds something; a restore needs an empty or missing directory"));
  }
  rocksdb::BackupID id = 0;
  if (!(std::ifstream(from + "/latest") >> id)) {
    return absl::DataLossError(absl::StrCat("BACKUP_UNFINISHED: no backup in ", from, " was completed"));
  }
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return Refused(absl::StrCat("cannot make ", to), error);
  const std::string restoring = to + "/RESTORING";
  LEDGER_RETURN_IF_ERROR(WriteFile(restoring, "A restore into this directory has not finished.\n"));

  progress("log");
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::BackupEngineReadOnly> engine,
                          OpenEngine<rocksdb::BackupEngineReadOnly>(from));
  LEDGER_RETURN_IF_ERROR(
      FromRocks(engine->VerifyBackup(id, /*verify_with_checksum=*/true), "the backup is damaged"));
  LEDGER_RETURN_IF_ERROR(
      FromRocks(engine->RestoreDBFromBackup(rocksdb::RestoreOptions(), id, to + "/log", to + "/log"),
                "cannot restore the log"));
  progress("vault");
  fs::copy(absl::StrCat(from, "/vault-", id), to + "/vault", fs::copy_options::recursive, error);
  if (error) return Refused("cannot copy the vault", error);
  fs::copy_file(absl::StrCat(from, "/head-", id), to + "/head", error);
  if (error) return Refused("cannot copy the head", error);

  LEDGER_RETURN_IF_ERROR(CheckVault(to + "/vault"));
  LEDGER_RETURN_IF_ERROR(SyncTree(to));

  progress("check and new lineage");
  std::string lineage(16, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(lineage.data()), static_cast<int>(lineage.size()));
  {
    // The marker keeps servers out until the new lineage is on disk; this process may look behind it.
    LogOptions options;
    options.directory = to;
    options.finish_restore = true;
    LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<RocksEventLog> log, RocksEventLog::Open(options));
    LEDGER_RETURN_IF_ERROR(StartLineage(*log, lineage));
  }
  fs::remove(restoring, error);
  if (error) return Refused(absl::StrCat("cannot remove ", restoring), error);
  return Sync(to) ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("DISK_REFUSED: cannot sync ", to));
}

absl::StatusOr<uint64_t> VerifyDirectory(
    const std::string& directory, const std::function<void(const std::string&)>& finding,
    const std::function<void(absl::string_view, uint64_t, uint64_t)>& progress) {
  uint64_t findings = 0;
  const auto count = [&](const std::string& what) {
    ++findings;
    finding(what);
  };
  LogOptions options;
  options.directory = directory;
  absl::StatusOr<std::unique_ptr<RocksEventLog>> log = RocksEventLog::Open(options);
  if (absl::IsUnavailable(log.status()) || absl::IsNotFound(log.status())) return log.status();
  if (!log.ok()) {
    count(std::string(log.status().message()));
    return findings;
  }
  LEDGER_RETURN_IF_ERROR((*log)->Verify(0, count, [&](absl::string_view step, uint64_t done, uint64_t total) {
    progress(step, done, total);
    return true;
  }));
  progress("vault", 0, 1);
  absl::StatusOr<std::unique_ptr<vault::Vault>> keys = vault::Vault::Open(directory + "/vault");
  if (!keys.ok()) {
    count(std::string(keys.status().message()));
    return findings;
  }
  const absl::Status status = (*keys)->VerifyAll([&](uint64_t slot, const absl::Status& damage) {
    count(absl::StrCat("vault slot ", slot, ": ", damage.message()));
  });
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  progress("vault", 1, 1);
  return findings;
}

}  // namespace ledger::storage
