// Declarations for the library inside the tflite-micro wheel, whose C++ sources and headers are in no
// package registry. What is declared is what the generated files use: names and layouts are those of
// the wheel, and everything that computes is its machine code.
#ifndef TFLM_H_
#define TFLM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#define TFLITE_SCHEMA_VERSION (3)

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

// As with TF_LITE_STATIC_MEMORY.
struct TfLiteTensor {
  struct { int type; void* params; } quantization;
  struct { float scale; std::int32_t zero_point; } params;
  union { std::int8_t* int8; } data;
  void* dims;
  std::size_t bytes;
};

struct TFLMRegistration;

namespace tflite {

// A flatbuffer, whose first field is the version of the schema.
struct Model {
  unsigned version() const {
    const char* here = reinterpret_cast<const char*>(this);
    std::int32_t to_fields;
    std::memcpy(&to_fields, here, sizeof(to_fields));
    std::uint16_t offset;
    std::memcpy(&offset, here - to_fields + 4, sizeof(offset));
    std::uint32_t version = 0;
    if (offset) std::memcpy(&version, here + offset, sizeof(version));
    return version;
  }
};

inline const Model* GetModel(const void* content) {
  std::uint32_t offset;
  std::memcpy(&offset, content, sizeof(offset));
  return reinterpret_cast<const Model*>(static_cast<const char*>(content) + offset);
}

inline void InitializeTarget() {}

enum BuiltinOperator : std::int32_t {};  // of the schema

inline namespace micro {

class MicroResourceVariables;
class MicroProfilerInterface;

class MicroOpResolver {
 public:
  using Parser = TfLiteStatus (*)(const void*, void*, void*, void**);
  virtual const TFLMRegistration* FindOp(BuiltinOperator op) const = 0;
  virtual const TFLMRegistration* FindOp(const char* op) const = 0;
  virtual Parser GetOpDataParser(BuiltinOperator op) const = 0;
  virtual ~MicroOpResolver() {}
};

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, std::uint8_t* arena,
                   std::size_t arena_bytes, MicroResourceVariables* variables = nullptr,
                   MicroProfilerInterface* profiler = nullptr, bool preserve_all_tensors = false);
  ~MicroInterpreter();
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(std::size_t index);
  TfLiteTensor* output(std::size_t index);

 private:
  alignas(16) char storage_[4096];  // more than it has members
};

}  // namespace micro

// The wheel's resolver, which has all operators.
class PythonOpsResolver : public MicroOpResolver {
 public:
  PythonOpsResolver();
  const TFLMRegistration* FindOp(BuiltinOperator op) const override;
  const TFLMRegistration* FindOp(const char* op) const override;
  Parser GetOpDataParser(BuiltinOperator op) const override;

 private:
  alignas(16) char storage_[64 * 1024];
};

inline namespace micro {

// Of the wheel's operators, those that were added, and no more than `size`.
template <unsigned size>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddConv2D() { return Add(3); }
  TfLiteStatus AddDepthwiseConv2D() { return Add(4); }
  TfLiteStatus AddFullyConnected() { return Add(9); }
  TfLiteStatus AddMul() { return Add(18); }
  TfLiteStatus AddReshape() { return Add(22); }
  TfLiteStatus AddSub() { return Add(41); }

  const TFLMRegistration* FindOp(BuiltinOperator op) const override {
    return Has(op) ? All().FindOp(op) : nullptr;
  }
  const TFLMRegistration* FindOp(const char*) const override { return nullptr; }
  Parser GetOpDataParser(BuiltinOperator op) const override {
    return Has(op) ? All().GetOpDataParser(op) : nullptr;
  }

 private:
  TfLiteStatus Add(int op) {
    if (count_ == size || Has(op)) return kTfLiteError;
    ops_[count_++] = op;
    return kTfLiteOk;
  }
  bool Has(int op) const {
    for (unsigned place = 0; place < count_; ++place) {
      if (ops_[place] == op) return true;
    }
    return false;
  }
  const MicroOpResolver& All() const { return all_; }

  PythonOpsResolver all_;
  int ops_[size];
  unsigned count_ = 0;
};

}  // namespace micro
}  // namespace tflite

#endif  // TFLM_H_
