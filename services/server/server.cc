#include "services/server/server.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/timelines.h"
#include "services/common/worker_pool.h"
#include "services/ledger/commit_notifier.h"
#include "services/ledger/ledger_service.h"
#include "services/ledger/prepare.h"
#include "services/ledger/recording_clock.h"
#include "services/ledger/sequencer.h"
#include "services/operations/operations_service.h"
#include "services/query/query_service.h"
#include "services/server/config.h"
#include "services/server/version.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/status_macros.h"
#include "storage/vault/vault.h"
#include "storage/views/view_store.h"

namespace ledger::services {
namespace {

namespace fs = std::filesystem;

constexpr char kLedgerServiceName[] = "customerledger.v1.LedgerService";
// Calls that have not ended by then are cancelled; streams end at once, so only a slow question takes so
// long.
constexpr absl::Duration kDrainTime = absl::Seconds(5);
// For so long appends are refused by name before connections are closed: gRPC answers a call that meets the
// closing with a bare CANCELLED, and who appends without pause shall hear UNAVAILABLE instead.
constexpr std::chrono::milliseconds kRefusalTime(100);
constexpr std::chrono::seconds kDiskWatchInterval(1);

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("BAD_CONFIG: cannot read the certificate file ", path));
  }
  return text.str();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const ServerConfig& config) {
  if (!config.has_tls()) return grpc::InsecureServerCredentials();
  const bool clients_prove = !config.tls().client_authority_file().empty();
  grpc::SslServerCredentialsOptions options(clients_prove
                                                ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  LEDGER_ASSIGN_OR_RETURN(std::string key, ReadPem(config.tls().key_file()));
  LEDGER_ASSIGN_OR_RETURN(std::string certificate, ReadPem(config.tls().certificate_file()));
  if (clients_prove) {
    LEDGER_ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(config.tls().client_authority_file()));
  }
  options.pem_key_cert_pairs.push_back({std::move(key), std::move(certificate)});
  return grpc::SslServerCredentials(options);
}

bool IsLocal(absl::string_view listen) {
  return absl::StartsWith(listen, "unix:") || absl::StartsWith(listen, "127.") ||
         absl::StartsWith(listen, "localhost:") || absl::StartsWith(listen, "[::1]:");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Create(ServerConfig config, StructuredLog* log) {
  LEDGER_ASSIGN_OR_RETURN(ServerConfig complete, CompleteConfig(std::move(config)));
  std::unique_ptr<Server> server(new Server(std::move(complete), log));
  LEDGER_RETURN_IF_ERROR(server->Open());
  LEDGER_RETURN_IF_ERROR(server->Listen());
  return server;
}

Server::Server(ServerConfig config, StructuredLog* log)
    : config_(std::move(config)),
      own_log_(log == nullptr ? std::make_unique<StructuredLog>(LogLevel::kWarning) : nullptr),
      log_(log == nullptr ? *own_log_ : *log) {}

Server::~Server() { Stop(); }

std::string Server::address() const {
  if (port_ == 0) return config_.listen();
  return absl::StrCat(config_.listen().substr(0, config_.listen().rfind(':')), ":", port_);
}

absl::Status Server::Open() {
  storage::LogOptions options;
  options.directory = config_.data();
  options.create_if_missing = true;
  options.write_buffer_bytes = config_.write_buffer_bytes();
  options.block_cache_bytes = config_.block_cache_bytes();
  options.disk_low_water_bytes = config_.disk_low_water_bytes();
  options.other_pending_bytes = [this] { return ViewMemoryBytes(); };
  LEDGER_ASSIGN_OR_RETURN(events_, storage::RocksEventLog::Open(std::move(options)));
  LEDGER_RETURN_IF_ERROR(OpenVault());
  timelines_ = std::make_unique<runtime::TimelineStore>(*events_);

  absl::Status status = OpenViews();
  if (status.ok()) status = StartProjector();
  if (absl::IsDataLoss(status)) {
    // Views can be computed again; whatever else is damaged shows again.
    LEDGER_RETURN_IF_ERROR(MoveViewsAside(status));
    status = OpenViews();
    if (status.ok()) status = StartProjector();
  }
  LEDGER_RETURN_IF_ERROR(status);

  answers_ = std::make_unique<runtime::Answers>(*events_, *views_, *timelines_, *projector_);
  notifier_ = std::make_unique<CommitNotifier>(*events_);
  pool_ = std::make_unique<WorkerPool>(static_cast<int>(config_.worker_threads()));
  preparer_ = std::make_unique<Preparer>(*events_, *vault_, *timelines_, events_->StagedVaultSlot());
  SequencerOptions sequencing;
  sequencing.on_commit = [this](storage::LedgerNumber ledger) {
    notifier_->Publish(ledger);
    projector_->Notify(ledger);
  };
  sequencing.on_failure = [this](const absl::Status& why) { Fail(why); };
  sequencer_ = std::make_unique<Sequencer>(*events_, *timelines_, *preparer_, SystemRecordingClock(),
                                           std::move(sequencing));
  ledger_service_ =
      std::make_unique<LedgerServiceImpl>(*events_, *preparer_, *sequencer_, *notifier_, *vault_, *pool_);
  query_service_ = std::make_unique<QueryServiceImpl>(*events_, *answers_, *projector_, *timelines_, *vault_,
                                                      *pool_, absl::Now);
  OperationsOptions operations;
  operations.version = kVersion;
  operations.data_directory = fs::absolute(config_.data()).lexically_normal().string();
  operations.start_time = absl::Now();
  operations_service_ = std::make_unique<OperationsServiceImpl>(
      *events_, *views_, *vault_, *timelines_, *projector_, *sequencer_, *pool_, std::move(operations));
  return absl::OkStatus();
}

absl::Status Server::OpenVault() {
  const std::string directory = absl::StrCat(config_.data(), "/vault");
  if (events_->CommitNumber() == 0) {
    // Also completes one whose making a crash cut short.
    absl::StatusOr<std::unique_ptr<vault::Vault>> created = vault::Vault::Create(directory);
    if (!absl::IsAlreadyExists(created.status())) {
      LEDGER_RETURN_IF_ERROR(created.status());
      vault_ = *std::move(created);
      return absl::OkStatus();
    }
  }
  absl::StatusOr<std::unique_ptr<vault::Vault>> opened = vault::Vault::Open(directory);
  if (absl::IsNotFound(opened.status())) {
    // A new one would take the numbers of slots that the log already names, and hide the loss.
    return absl::DataLossError(absl::StrCat("VAULT_MISSING: the log in ", config_.data(), " has events, but ",
                                            directory,
                                            ", which holds the keys of its personal data, is gone. Put it "
                                            "back, or restore a backup with ledgerctl "
                                            "restore; nothing was changed"));
  }
  LEDGER_RETURN_IF_ERROR(opened.status());
  vault_ = *std::move(opened);
  return absl::OkStatus();
}

absl::Status Server::OpenViews() {
  views::ViewStoreOptions options;
  options.write_buffer_bytes = config_.view_write_buffer_bytes();
  options.cache_bytes = config_.view_cache_bytes();
  LEDGER_ASSIGN_OR_RETURN(views_, views::ViewStore::Open(absl::StrCat(config_.data(), "/views"), options));
  open_views_.store(views_.get());
  return absl::OkStatus();
}

absl::Status Server::StartProjector() {
  runtime::ProjectorOptions options;
  // Appends stop well before the disk is full, and what they left to be projected must still find room: a view that
  // stood still with them would leave questions waiting. So the views may go on into the low-water mark, by half.
  options.may_write = [this] {
    const storage::DiskGuard& disk = events_->disk();
    return disk.FreeBytes() >= disk.low_water_bytes() / 2 + ViewMemoryBytes();
  };
  projector_ = std::make_unique<runtime::Projector>(*events_, *views_, *timelines_, std::move(options));
  return projector_->Start();
}

absl::Status Server::MoveViewsAside(const absl::Status& why) {
  projector_.reset();
  open_views_.store(nullptr);
  views_.reset();
  const std::string views = absl::StrCat(config_.data(), "/views");
  std::string aside;
  std::error_code error;
  int number = 1;
  do {
    aside = absl::StrCat(config_.data(), "/views.damaged-", number++);
  } while (fs::exists(aside, error));
  fs::rename(views, aside, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("DISK_REFUSED: the views are damaged (", why.message(),
                                               ") and cannot be moved to ", aside, ": ", error.message()));
  }
  log_.Write(LogLevel::kWarning, "the views are damaged; they are moved aside and computed again",
             {{"moved_to", aside}, {"reason", std::string(why.message())}});
  return absl::OkStatus();
}

uint64_t Server::ViewMemoryBytes() const {
  const views::ViewStore* views = open_views_.load();
  return views == nullptr ? 0 : views->MemoryBytes();
}

absl::Status Server::Listen() {
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ServerCredentials> credentials, Credentials(config_));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Without this, a port that another server has is taken silently and shared with it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(config_.connection_calls_max()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  // Clients that follow the log may ask as often themselves.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetMaxReceiveMessageSize(static_cast<int>(config_.message_bytes_max()));
  builder.SetMaxSendMessageSize(-1);
  // Only reflection is served by these; every service of ours uses callbacks.
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  int port = 0;
  builder.AddListeningPort(config_.listen(), credentials, &port);
  builder.RegisterService(ledger_service_.get());
  builder.RegisterService(query_service_.get());
  builder.RegisterService(operations_service_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::InvalidArgumentError(absl::StrCat("CANNOT_LISTEN: cannot listen on ", config_.listen(),
                                                   ": another program (perhaps another ledgerd) uses it, the "
                                                   "address is not this machine's, or the certificates "
                                                   "do not fit; choose another with --listen"));
  }
  port_ = absl::StartsWith(config_.listen(), "unix:") ? 0 : port;
  server_->GetHealthCheckService()->SetServingStatus(kLedgerServiceName, events_->AcceptsAppends().ok());
  if (!config_.has_tls() && !IsLocal(config_.listen())) {
    log_.Write(LogLevel::kWarning, "other machines can reach this address and nothing is encrypted; see tls",
               {{"listen", config_.listen()}});
  }
  disk_watch_ = std::thread([this] { WatchDisk(); });
  return absl::OkStatus();
}

// Keeps the readiness of appends up to date: reads go on when they do not.
void Server::WatchDisk() {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  std::optional<bool> told;
  while (true) {
    const absl::Status status = events_->AcceptsAppends();
    if (told != status.ok()) {
      health->SetServingStatus(kLedgerServiceName, status.ok());
      if (!status.ok()) {
        log_.Write(LogLevel::kError, "appends are refused", {{"reason", std::string(status.message())}});
      } else if (told.has_value()) {
        log_.Write(LogLevel::kInfo, "appends are accepted again");
      }
      told = status.ok();
    }
    MutexLock lock(mutex_);
    if (!watch_ends_) changed_.WaitFor(mutex_, kDiskWatchInterval);
    if (watch_ends_) return;
  }
}

void Server::Fail(const absl::Status& why) {
  log_.Write(LogLevel::kError, "a write failed; the server stops and unanswered appends are unsettled",
             {{"reason", std::string(why.message())}});
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = why;
  changed_.NotifyAll();
}

void Server::RequestStop() {
  MutexLock lock(mutex_);
  stop_requested_ = true;
  changed_.NotifyAll();
}

absl::Status Server::WaitForShutdown() {
  MutexLock lock(mutex_);
  while (!stop_requested_ && failure_.ok()) changed_.Wait(mutex_);
  return failure_;
}

void Server::Stop() {
  MutexLock stop_lock(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  RequestStop();
  {
    MutexLock lock(mutex_);
    watch_ends_ = true;
    changed_.NotifyAll();
  }
  if (disk_watch_.joinable()) disk_watch_.join();
  if (server_ != nullptr) {
    server_->GetHealthCheckService()->Shutdown();
    ledger_service_->Stop();
    sequencer_->Stop();
    std::this_thread::sleep_for(kRefusalTime);
    // It returns when the last call has ended; what calls wait for ends meanwhile.
    std::thread drain([this] { server_->Shutdown(absl::ToChronoTime(absl::Now() + kDrainTime)); });
    projector_->Stop();
    operations_service_->Stop();
    drain.join();
  }
  if (ledger_service_ != nullptr) ledger_service_->Stop();
  if (operations_service_ != nullptr) operations_service_->Stop();
  if (sequencer_ != nullptr) sequencer_->Stop();
  if (notifier_ != nullptr) notifier_->Stop();
  if (pool_ != nullptr) pool_->Stop();
  if (projector_ != nullptr) projector_->Stop();
  if (views_ != nullptr) {
    if (const absl::Status flushed = views_->Flush(); !flushed.ok()) {
      log_.Write(LogLevel::kWarning, "the views could not be flushed; the next start computes the rest again",
                 {{"reason", std::string(flushed.message())}});
    }
  }
  server_.reset();
  operations_service_.reset();
  query_service_.reset();
  ledger_service_.reset();
  sequencer_.reset();
  preparer_.reset();
  pool_.reset();
  notifier_.reset();
  answers_.reset();
  projector_.reset();
  open_views_.store(nullptr);
  views_.reset();
  timelines_.reset();
  vault_.reset();
  events_.reset();
}

}  // namespace ledger::services
