#include "storage/vault/contact_point.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ledger::vault {
namespace {

namespace pb = ::customerledger::v1;

std::string Phone(absl::string_view value, absl::string_view region) {
  absl::StatusOr<std::string> normalized = NormalizeContactPoint(pb::CONTACT_POINT_KIND_PHONE, value, region);
  return normalized.ok() ? *normalized : std::string(absl::StatusCodeToString(normalized.status().code()));
}

std::string Email(absl::string_view value) {
  absl::StatusOr<std::string> normalized = NormalizeContactPoint(pb::CONTACT_POINT_KIND_EMAIL, value, "");
  return normalized.ok() ? *normalized : std::string(absl::StatusCodeToString(normalized.status().code()));
}

TEST(ContactPointTest, OneNumberHasOneWriting) {
  for (const char* written :
       {"+49 30 12345678", "030/12345678", "(030) 123-456 78", "0049 30 12345678", " 03012345678\n"}) {
    EXPECT_EQ(Phone(written, "DE"), "+493012345678") << written;
  }
  for (const char* written :
       {"138 0013 8000", "+86-138-0013-8000", "008613800138000", "１３８００１３８０００"}) {
    EXPECT_EQ(Phone(written, "CN"), "+8613800138000") << written;
  }
}

TEST(ContactPointTest, TheRegionDecidesOnlyWithoutPlus) {
  EXPECT_EQ(Phone("202-456-1111", "US"), "+12024561111");
  EXPECT_EQ(Phone("+1 202 456 1111", "DE"), "+12024561111");
  EXPECT_EQ(Phone("+1 202 456 1111", ""), "+12024561111");
  EXPECT_EQ(Phone("202-456-1111", ""), "INVALID_ARGUMENT");
  EXPECT_EQ(Phone("202-456-1111", "XX"), "INVALID_ARGUMENT");
}

TEST(ContactPointTest, AnExtensionStays) {
  EXPECT_EQ(Phone("+1 202 456 1111 ext. 5", ""), "+12024561111;ext=5");
  EXPECT_NE(Phone("+1 202 456 1111 ext. 5", ""), Phone("+1 202 456 1111 ext. 6", ""));
}

TEST(ContactPointTest, WhatIsNoNumberIsRefused) {
  for (const char* written : {"", "hello", "12", "+", "+49", "+999 123456789", "12345678901234567890123"}) {
    EXPECT_EQ(Phone(written, "DE"), "INVALID_ARGUMENT") << written;
  }
  EXPECT_EQ(Phone(std::string(321, '1'), "DE"), "INVALID_ARGUMENT");
}

TEST(ContactPointTest, EmailIsTrimmedAndFolded) {
  EXPECT_EQ(Email(" Ann.LEE@Example.COM\t"), "ann.lee@example.com");
  EXPECT_EQ(Email("a+b@mail.example"), "a+b@mail.example");
  for (const char* written : {"", "ann", "@example.com", "ann@", "ann@example", "ann@.com", "ann@example.",
                              "a b@example.com", "a@b@example.com"}) {
    EXPECT_EQ(Email(written), "INVALID_ARGUMENT") << written;
  }
}

TEST(ContactPointTest, AnErrorDoesNotRepeatTheValue) {
  const absl::Status phone = NormalizeContactPoint(pb::CONTACT_POINT_KIND_PHONE, "77889", "XX").status();
  EXPECT_EQ(std::string(phone.message()).find("77889"), std::string::npos);
  const absl::Status email = NormalizeContactPoint(pb::CONTACT_POINT_KIND_EMAIL, "ann.lee", "").status();
  EXPECT_EQ(std::string(email.message()).find("ann.lee"), std::string::npos);
}

TEST(ContactPointTest, AKindIsNeeded) {
  EXPECT_EQ(NormalizeContactPoint(pb::CONTACT_POINT_KIND_UNSPECIFIED, "a@b.c", "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ContactPointTest, IdsDependOnKeyKindAndValue) {
  const std::string id = ContactPointId("key", pb::CONTACT_POINT_KIND_PHONE, "+493012345678");
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(id, ContactPointId("key", pb::CONTACT_POINT_KIND_PHONE, "+493012345678"));
  EXPECT_NE(id, ContactPointId("yek", pb::CONTACT_POINT_KIND_PHONE, "+493012345678"));
  EXPECT_NE(id, ContactPointId("key", pb::CONTACT_POINT_KIND_EMAIL, "+493012345678"));
  EXPECT_NE(id, ContactPointId("key", pb::CONTACT_POINT_KIND_PHONE, "+493012345679"));
}

TEST(ContactPointTest, OpaqueIdsPass) {
  for (const char* region : {"", "CN", "US", "DE", "IT", "SE", "JP", "GB", "IN", "NL"}) {
    for (const char* id : {"c-1", "1", "00001", "1-364285768", "Case 1", "123456", "A-2025550123", "x@y", "",
                           "2013-05-17", "+", "+1", "100000000", "cust.2024456111", "3f2b8a1c"}) {
      EXPECT_FALSE(LooksLikeContactPoint(id, region)) << id << " in " << region;
    }
  }
}

TEST(ContactPointTest, ContactPointsAsIdsAreNoticed) {
  EXPECT_TRUE(LooksLikeContactPoint("ann@example.com", ""));
  EXPECT_TRUE(LooksLikeContactPoint(" Ann@Example.com ", "DE"));
  EXPECT_TRUE(LooksLikeContactPoint("+493012345678", ""));
  EXPECT_TRUE(LooksLikeContactPoint("+49 (30) 1234-5678", "CN"));
  EXPECT_TRUE(LooksLikeContactPoint("13800138000", "CN"));
  EXPECT_TRUE(LooksLikeContactPoint("138-0013-8000", "CN"));
  EXPECT_TRUE(LooksLikeContactPoint("(202) 456-1111", "US"));
  EXPECT_TRUE(LooksLikeContactPoint("03012345678", "DE"));
}

}  // namespace
}  // namespace ledger::vault
