#include "tests/projections/policy/full_policy.h"

#include <google/protobuf/descriptor.h>

#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class Filler {
 public:
  explicit Filler(int variant) : variant_(variant) {}

  void Fill(Message* message) {
    const auto* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const auto* oneof = field->real_containing_oneof();
      if (oneof != nullptr && oneof->field(variant_ % oneof->field_count()) != field) continue;
      const int entries = field->is_repeated() ? 2 : 1;
      for (int entry = 0; entry < entries; ++entry) Set(message, field);
    }
  }

 private:
  void Set(Message* message, const FieldDescriptor* field) {
    const auto* reflection = message->GetReflection();
    const bool list = field->is_repeated();
    const int number = ++number_;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return list ? reflection->AddInt32(message, field, number)
                    : reflection->SetInt32(message, field, number);
      case FieldDescriptor::CPPTYPE_INT64:
        return list ? reflection->AddInt64(message, field, number)
                    : reflection->SetInt64(message, field, number);
      case FieldDescriptor::CPPTYPE_UINT32:
        return list ? reflection->AddUInt32(message, field, number)
                    : reflection->SetUInt32(message, field, number);
      case FieldDescriptor::CPPTYPE_UINT64:
        return list ? reflection->AddUInt64(message, field, number)
                    : reflection->SetUInt64(message, field, number);
      case FieldDescriptor::CPPTYPE_BOOL:
        return list ? reflection->AddBool(message, field, true) : reflection->SetBool(message, field, true);
      case FieldDescriptor::CPPTYPE_ENUM: {
        // Not the unspecified value, which is the same as nothing.
        const int known = field->enum_type()->value_count();
        const int value =
            field->enum_type()->value(known == 1 ? 0 : 1 + (variant_ + number_) % (known - 1))->number();
        return list ? reflection->AddEnumValue(message, field, value)
                    : reflection->SetEnumValue(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text = absl::StrCat("text", number);
        return list ? reflection->AddString(message, field, text)
                    : reflection->SetString(message, field, text);
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(list ? reflection->AddMessage(message, field)
                         : reflection->MutableMessage(message, field));
      default:
        break;
    }
  }

  const int variant_;
  int number_ = 10;
};

// Walks `inner`, a part of `whole`, changes one thing at a time, and puts it back.
class Mutator {
 public:
  explicit Mutator(const pb::Policy& policy) : whole_(policy) {}

  std::vector<Mutation> Run() {
    Walk(&whole_, "");
    return std::move(mutations_);
  }

 private:
  void Keep(const std::string& path) { mutations_.push_back({path, whole_}); }

  void Walk(Message* message, const std::string& path) {
    const auto* reflection = message->GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(*message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string here = JoinPath(path, field->name());
      const std::unique_ptr<Message> saved(message->New());
      saved->CopyFrom(*message);
      const auto restore = [&] { message->CopyFrom(*saved); };
      reflection->ClearField(message, field);
      Keep(absl::StrCat(here, " cleared"));
      restore();
      if (field->is_repeated()) {
        reflection->RemoveLast(message, field);
        Keep(absl::StrCat(here, " without its last"));
        restore();
        if (reflection->FieldSize(*message, field) > 1) {
          reflection->SwapElements(message, field, 0, 1);
          Keep(absl::StrCat(here, " in another order"));
          restore();
        }
      } else {
        Change(message, field, here, restore);
      }
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (!field->is_repeated()) {
        Walk(reflection->MutableMessage(message, field), here);
      } else {
        for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
          Walk(reflection->MutableRepeatedMessage(message, field, i), JoinPath(path, field->name(), i));
        }
      }
    }
  }

  // Every other value of an enum; another number or text.
  void Change(Message* message, const FieldDescriptor* field, const std::string& path,
              const std::function<void()>& restore) {
    const auto* reflection = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int now = reflection->GetEnumValue(*message, field);
        for (int i = 0; i < field->enum_type()->value_count(); ++i) {
          const int value = field->enum_type()->value(i)->number();
          if (value == now) continue;
          reflection->SetEnumValue(message, field, value);
          Keep(absl::StrCat(path, " is ", field->enum_type()->value(i)->name()));
          restore();
        }
        return;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!field->has_presence()) return;
        reflection->SetBool(message, field, false);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(message, field, "another");
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(message, field, 5);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(message, field, 5);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message, field, 5);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(message, field, 5);
        break;
      default:
        return;
    }
    Keep(absl::StrCat(path, " changed"));
    restore();
  }

  pb::Policy whole_;
  std::vector<Mutation> mutations_;
};

}  // namespace

pb::Policy FullPolicyForTest(int variant) {
  pb::Policy policy;
  Filler(variant).Fill(&policy);
  return policy;
}

std::vector<Mutation> MutationsForTest(const pb::Policy& policy) { return Mutator(policy).Run(); }

}  // namespace ledger::policy
