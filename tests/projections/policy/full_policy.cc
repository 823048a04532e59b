#include "tests/projections/policy/full_policy.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class Filler {
 public:
  explicit Filler(int variant) : variant_(variant) {}

  void Fill(Message* message) {
    const auto* type = message->GetDescriptor();
    open_.push_back(type);
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const auto* oneof = field->real_containing_oneof();
      if (oneof != nullptr && oneof->field(variant_ % oneof->field_count()) != field) continue;
      // Messages that hold themselves end somewhere; and two entries of everything everywhere would be too much.
      const bool nests = field->message_type() != nullptr;
      if (nests && std::count(open_.begin(), open_.end(), field->message_type()) > 1) continue;
      const int entries = field->is_repeated() && (!nests || open_.size() < 3) ? 2 : 1;
      for (int entry = 0; entry < entries; ++entry) Set(message, field);
    }
    open_.pop_back();
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
  // The messages around the one being filled.
  std::vector<const Descriptor*> open_;
};

// Walks `inner`, a part of `whole`, changes one thing at a time, and puts it back.
class Mutator {
 public:
  explicit Mutator(const pb::Policy& policy) : original_(policy.SerializeAsString()), whole_(policy) {}

  std::vector<Mutation> Run() {
    Walk(&whole_, nullptr, "");
    return std::move(mutations_);
  }

 private:
  // A change that changes nothing, as swapping equal entries, is none.
  void Keep(const std::string& path) {
    if (whole_.SerializeAsString() != original_) mutations_.push_back({path, whole_});
  }

  // `holder`: the field that holds `message`.
  void Walk(Message* message, const FieldDescriptor* holder, const std::string& path) {
    const auto* reflection = message->GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(*message, &fields);
    for (const FieldDescriptor* field : fields) {
      // How a field is told depends on what holds its message, and not on how often.
      if (!done_.insert({holder, field}).second) continue;
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
        Walk(reflection->MutableMessage(message, field), field, here);
      } else {
        for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
          Walk(reflection->MutableRepeatedMessage(message, field, i), field,
               JoinPath(path, field->name(), i));
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

  const std::string original_;
  pb::Policy whole_;
  std::set<std::pair<const FieldDescriptor*, const FieldDescriptor*>> done_;
  std::vector<Mutation> mutations_;
};

}  // namespace

int PolicyVariantsForTest() {
  std::set<const Descriptor*> types;
  std::vector<const Descriptor*> open = {pb::Policy::descriptor()};
  int most = 1;
  while (!open.empty()) {
    const Descriptor* type = open.back();
    open.pop_back();
    if (!types.insert(type).second) continue;
    for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
      most = std::max(most, type->oneof_decl(i)->field_count());
    }
    for (int i = 0; i < type->field_count(); ++i) {
      if (type->field(i)->message_type() != nullptr) open.push_back(type->field(i)->message_type());
    }
  }
  return most;
}

std::vector<pb::Policy> FullPoliciesForTest(int variant) {
  pb::Policy full;
  Filler(variant).Fill(&full);
  std::vector<const FieldDescriptor*> fields;
  full.GetReflection()->ListFields(full, &fields);
  std::vector<pb::Policy> policies;
  policies.reserve(fields.size());
  for (const FieldDescriptor* kept : fields) {
    pb::Policy policy = full;
    for (const FieldDescriptor* field : fields) {
      if (field != kept) policy.GetReflection()->ClearField(&policy, field);
    }
    policies.push_back(std::move(policy));
  }
  return policies;
}

std::vector<Mutation> MutationsForTest(const pb::Policy& policy) { return Mutator(policy).Run(); }

}  // namespace ledger::policy
