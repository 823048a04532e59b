#include <fstream>

#include "customerledger/v1/record.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509v3.h"
#include "tests/e2e/e2e_fixture.h"

namespace ledger::e2e {
namespace {

// A certificate with its key, made for one test.
struct Certificate {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> x509;

  std::string Pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509.get());
    return Take(bio);
  }
  std::string KeyPem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return Take(bio);
  }

 private:
  static std::string Take(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }
};

// Signed by `issuer`; nullptr: by itself, and able to sign others.
Certificate MakeCertificate(const std::string& name, const Certificate* issuer) {
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
  made.x509.reset(X509_new(), X509_free);
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3'600);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(issuer == nullptr ? x509 : issuer->x509.get()));
  const auto extend = [x509](int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  };
  if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
  if (name == "localhost") extend(NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_sign(x509, (issuer == nullptr ? made : *issuer).key.get(), EVP_sha256());
  return made;
}

class TlsTest : public E2eTest {
 protected:
  TlsTest()
      : authority_(MakeCertificate("authority", nullptr)),
        served_(MakeCertificate("localhost", &authority_)) {
    services::ServerConfig config;
    config.set_listen("127.0.0.1:0");
    config.set_data(data_);
    config.set_disk_low_water_bytes(1 << 20);
    config.mutable_tls()->set_certificate_file(Write("server.pem", served_.Pem()));
    config.mutable_tls()->set_key_file(Write("server.key", served_.KeyPem()));
    config.mutable_tls()->set_client_authority_file(Write("authority.pem", authority_.Pem()));
    absl::StatusOr<std::unique_ptr<services::Server>> server = services::Server::Create(config);
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) server_ = *std::move(server);
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(scratch_ + "/" + name) << text;
    return scratch_ + "/" + name;
  }

  void Connect(const grpc::SslCredentialsOptions& options) {
    channel_ = grpc::CreateChannel(server_->address(), grpc::SslCredentials(options));
    ledger_ = pb::LedgerService::NewStub(channel_);
    query_ = pb::QueryService::NewStub(channel_);
    operations_ = pb::OperationsService::NewStub(channel_);
  }

  const Certificate authority_;
  const Certificate served_;
};

TEST_F(TlsTest, TheCertificatesNameIsTheAuthenticatedPrincipal) {
  ASSERT_NE(server_, nullptr);
  const Certificate client = MakeCertificate("crm-backend", &authority_);
  Connect({authority_.Pem(), client.KeyPem(), client.Pem()});
  CreateLedger("shop");
  pb::AppendResponse appended;
  Context append;
  append.AddMetadata("customerledger-principal", "somebody-else");  // a mere claim counts for nothing here
  ASSERT_TRUE(ledger_->Append(&append, Request("shop", {Registration("c", "liu")}), &appended).ok());
  EXPECT_EQ(OwnerOf("shop", "c", appended.position()), "liu");
  pb::ReadLogRequest request;
  request.set_ledger("shop");
  *request.mutable_from() = appended.position();
  pb::ReadLogResponse response;
  Context context;
  ASSERT_TRUE(ledger_->ReadLog(&context, request, &response).ok());
  ASSERT_EQ(response.records_size(), 1);
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(response.records(0)));
  EXPECT_EQ(record.header().who().principal(), "crm-backend");
  EXPECT_EQ(record.header().who().authentication(), pb::AUTHENTICATION_MUTUAL_TLS);
}

TEST_F(TlsTest, AClientWithoutACertificateIsTurnedAway) {
  ASSERT_NE(server_, nullptr);
  const Certificate stranger_authority = MakeCertificate("another authority", nullptr);
  const Certificate stranger = MakeCertificate("crm-backend", &stranger_authority);
  const grpc::SslCredentialsOptions strangers[] = {{authority_.Pem(), "", ""},
                                                   {authority_.Pem(), stranger.KeyPem(), stranger.Pem()}};
  for (const grpc::SslCredentialsOptions& options : strangers) {
    Connect(options);
    pb::GetStatusResponse response;
    Context context;
    EXPECT_EQ(operations_->GetStatus(&context, pb::GetStatusRequest(), &response).error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
}

}  // namespace
}  // namespace ledger::e2e
