#include "tests/e2e/e2e_fixture.h"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "customerledger/v1/error.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "projections/policy/event_names.h"
#include "projections/policy/policy_file.h"

namespace ledger::e2e {
namespace {

void SetNow(pb::Event* event) {
  event->mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
}

// Waits for the one operation under way.
bool Await(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

}  // namespace

std::string ReasonOf(const grpc::Status& status) {
  pb::ErrorStatus details;
  pb::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0 ||
      !info.ParseFromString(details.details(0).value())) {
    return "";
  }
  return info.reason();
}

pb::Policy ShippedPolicy(const std::string& name) {
  std::ifstream file(absl::StrCat(LEDGER_POLICIES, "/", name, ".textproto"));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::vector<policy::PolicyFileError> errors;
  absl::StatusOr<pb::Policy> policy = policy::ParsePolicyText(text, &errors);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.value_or(pb::Policy());
}

Context::Context() { set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }

pb::NewEvent Registration(const std::string& customer, const std::string& staff) {
  pb::NewEvent added;
  SetNow(added.mutable_event());
  pb::CustomerRegistered& registered = *added.mutable_event()->mutable_customer_registered();
  registered.set_customer_id(customer);
  registered.set_registrar_id(staff);
  return added;
}

pb::NewEvent Contact(const std::string& customer, const std::string& staff) {
  pb::NewEvent added;
  SetNow(added.mutable_event());
  pb::ContactLogged& contact = *added.mutable_event()->mutable_contact_logged();
  contact.set_customer_id(customer);
  contact.set_staff_id(staff);
  return added;
}

grpc::Status RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& request, std::string* response) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  Context context;
  const auto call = stub.PrepareCall(&context, method, &queue);
  grpc::Slice slice(request);
  grpc::ByteBuffer answer;
  call->StartCall(nullptr);
  if (Await(queue)) {
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    if (Await(queue)) {
      call->Read(&answer, nullptr);
      Await(queue);
    }
  }
  std::vector<grpc::Slice> slices;
  if (answer.Valid() && answer.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      response->append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  Await(queue);
  return status;
}

E2eTest::E2eTest()
    : scratch_(mkdtemp((std::filesystem::temp_directory_path() / "ledger_e2e_XXXXXX").string().data())),
      data_(scratch_ + "/data") {}

E2eTest::~E2eTest() {
  Stop();
  std::filesystem::remove_all(scratch_);
}

void E2eTest::StartOn(const std::string& data) {
  services::ServerConfig config;
  config.set_listen("127.0.0.1:0");
  config.set_data(data);
  config.set_disk_low_water_bytes(1 << 20);  // the machine that tests may have a small disk
  absl::StatusOr<std::unique_ptr<services::Server>> server = services::Server::Create(config);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  ledger_ = pb::LedgerService::NewStub(channel_);
  query_ = pb::QueryService::NewStub(channel_);
  operations_ = pb::OperationsService::NewStub(channel_);
}

void E2eTest::Stop() {
  if (server_ != nullptr) server_->Stop();
  server_.reset();
}

pb::LedgerSummary E2eTest::CreateLedger(const std::string& name, const std::string& policy) {
  pb::CreateLedgerRequest request;
  request.set_name(name);
  request.set_request_id("create " + name);
  *request.mutable_policy() = ShippedPolicy(policy);
  pb::CreateLedgerResponse response;
  Context context;
  const grpc::Status status = operations_->CreateLedger(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.ledger();
}

pb::AppendRequest E2eTest::Request(const std::string& ledger, const std::vector<pb::NewEvent>& events) {
  pb::AppendRequest request;
  request.set_ledger(ledger);
  request.set_request_id(absl::StrCat("request ", ++requests_, " of ", scratch_));
  std::set<std::string> named;
  for (const pb::NewEvent& event : events) {
    *request.add_events() = event;
    for (const pb::Subject& subject : policy::SubjectsOf(event.event())) {
      if (!named.insert(subject.SerializeAsString()).second) continue;
      pb::SubjectCheck& check = *request.add_checks();
      *check.mutable_subject() = subject;
      check.mutable_any();
    }
  }
  return request;
}

grpc::Status E2eTest::TryAppend(const pb::AppendRequest& request, pb::AppendResponse* response) {
  Context context;
  return ledger_->Append(&context, request, response);
}

pb::AppendResponse E2eTest::Append(const std::string& ledger, const std::vector<pb::NewEvent>& events) {
  pb::AppendResponse response;
  const grpc::Status status = TryAppend(Request(ledger, events), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

grpc::Status E2eTest::TryGetOwner(const std::string& ledger, const std::string& customer,
                                  const pb::PositionToken& min_position, pb::GetOwnerResponse* response) {
  pb::GetOwnerRequest request;
  request.mutable_query()->set_ledger(ledger);
  request.mutable_query()->set_customer_id(customer);
  *request.mutable_query()->mutable_min_position() = min_position;
  Context context;
  return query_->GetOwner(&context, request, response);
}

std::string E2eTest::OwnerOf(const std::string& ledger, const std::string& customer,
                             const pb::PositionToken& min_position) {
  pb::GetOwnerResponse response;
  const grpc::Status status = TryGetOwner(ledger, customer, min_position, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_GE(response.context().position().position(), min_position.position());
  return response.ownerships_size() == 0 ? "" : response.ownerships(0).owner().staff_id();
}

pb::GetHistoryResponse E2eTest::History(const std::string& ledger, const std::string& customer,
                                        bool personal) {
  pb::GetHistoryRequest request;
  request.mutable_query()->set_ledger(ledger);
  request.mutable_query()->set_customer_id(customer);
  request.set_include_personal_data(personal);
  pb::GetHistoryResponse response;
  Context context;
  const grpc::Status status = query_->GetHistory(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

pb::LedgerSummary E2eTest::Summary(const std::string& ledger) {
  pb::GetLedgerRequest request;
  request.set_name(ledger);
  pb::GetLedgerResponse response;
  Context context;
  const grpc::Status status = operations_->GetLedger(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.ledger();
}

}  // namespace ledger::e2e
