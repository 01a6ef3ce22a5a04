// An accelerator in host memory: torch's PrivateUse1 device, every byte of it counted, and limited to a cap.
//
// Its tensors are another device to torch: they do not mix with CPU tensors, and moving them is a copy. Each operation is
// the CPU's, run on copies of its arguments. Where torch composes an operation of others on devices without a kernel for
// it (layer norm, attention), results differ from the CPU's in the last bits, as a GPU's do. The host memory that torch
// allocates for tensors is counted too, without the copies.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_cpu_dispatch.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/library.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <unordered_map>

namespace {

constexpr auto kType = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kType, 0);

// What the context of a process takes of a device's memory, as on CUDA. The cap is what is left for tensors.
constexpr int64_t kContext = int64_t{1} << 29;

// ---- Memory ---------------------------------------------------------------------------------------------------------

// Bytes in use, and the blocks that they are in. A block that was not added is not counted when it is freed.
class Counter {
  std::mutex mutex_;
  std::unordered_map<void*, size_t> blocks_;
  c10::CachingAllocator::Stat stat_;
  int64_t cap_ = std::numeric_limits<int64_t>::max();

  int64_t unseen_[2] = {};
  int64_t* published_ = unseen_;  // bytes in use, and the most since the process began

  void publish() {
    published_[0] = stat_.current;
    published_[1] = std::max(published_[1], stat_.current);
  }

  template <typename Action>
  auto locked(Action action) {
    std::lock_guard<std::mutex> lock(mutex_);
    return action();
  }

 public:
  void* allocate(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    TORCH_CHECK_WITH(OutOfMemoryError, stat_.current + static_cast<int64_t>(bytes) <= cap_,
        "npu out of memory. Tried to allocate ", bytes / 1048576.0, " MiB; ", stat_.current / 1048576.0, " of ",
        cap_ / 1048576.0, " MiB are in use.");
    void* block = c10::alloc_cpu(bytes);
    blocks_[block] = bytes;
    stat_.increase(bytes);
    publish();
    return block;
  }

  void free(void* block) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto found = blocks_.find(block); found != blocks_.end()) {
      stat_.decrease(found->second);
      blocks_.erase(found);
      publish();
    }
    c10::free_cpu(block);
  }

  c10::CachingAllocator::Stat stat() { return locked([&] { return stat_; }); }
  int64_t cap() { return locked([&] { return cap_; }); }
  void set_cap(int64_t bytes) { locked([&] { cap_ = bytes; }); }
  void reset_peak() { locked([&] { stat_.reset_peak(); }); }
  void publish_to(int64_t* place) { locked([&] { published_ = place; publish(); }); }
};

// Neither is ever destroyed: tensors outlive static objects when the process ends.
Counter& device_memory = *new Counter;
Counter& host_memory = *new Counter;

// Inside it, host memory is not counted: an operation of a real device needs none.
thread_local bool in_operation = false;
struct Operation {
  Operation() { in_operation = true; }
  ~Operation() { in_operation = false; }
};

void free_on_device(void* block) { if (block != nullptr) device_memory.free(block); }
void free_on_host(void* block) { if (block != nullptr) host_memory.free(block); }

struct DeviceMemory final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes == 0 ? nullptr : device_memory.allocate(bytes);
    return {block, block, &free_on_device, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_on_device; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }

  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}  // there is no cache
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override { device_memory.reset_peak(); }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
    const auto cap = device_memory.cap();
    return {cap - device_memory.stat().current, cap + kContext};
  }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    for (auto* each : {&stats.allocated_bytes, &stats.reserved_bytes, &stats.active_bytes, &stats.requested_bytes}) {
      (*each)[all] = device_memory.stat();
    }
    return stats;
  }
};

struct HostMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes == 0 ? nullptr : in_operation ? c10::alloc_cpu(bytes) : host_memory.allocate(bytes);
    return {block, block, &free_on_host, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_on_host; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};

DeviceMemory& device_allocator = *new DeviceMemory;
HostMemory& host_allocator = *new HostMemory;
REGISTER_ALLOCATOR(kType, &device_allocator);

// ---- Random numbers -------------------------------------------------------------------------------------------------

// A CPU generator whose stream differs from that of the CPU's for the same seed, as on CUDA.
struct DeviceGenerator final : c10::GeneratorImpl {
  DeviceGenerator() : GeneratorImpl(kDevice, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)) {
    set_current_seed(c10::default_rng_seed_val);
  }
  void set_current_seed(uint64_t seed) override {
    seed_ = seed;
    at::check_generator<at::CPUGeneratorImpl>(cpu)->set_current_seed(~seed);
  }
  uint64_t current_seed() const override { return seed_; }
  uint64_t seed() override {
    set_current_seed(c10::detail::getNonDeterministicRandom());
    return seed_;
  }
  void set_offset(uint64_t) override { TORCH_CHECK(false, "npu generators have no offset"); }
  uint64_t get_offset() const override { TORCH_CHECK(false, "npu generators have no offset"); }
  void set_state(const c10::TensorImpl& state) override { cpu.unsafeGetGeneratorImpl()->set_state(state); }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return cpu.unsafeGetGeneratorImpl()->get_state();
  }
  GeneratorImpl* clone_impl() const override {
    auto copy = std::make_unique<DeviceGenerator>();
    copy->seed_ = seed_;
    copy->set_state(*get_state());
    return copy.release();
  }

  at::Generator cpu = at::detail::createCPUGenerator();

 private:
  uint64_t seed_ = 0;
};

at::Generator& default_generator() {
  static auto& generator = *new at::Generator(at::make_generator<DeviceGenerator>());
  return generator;
}

// ---- The device -----------------------------------------------------------------------------------------------------

struct Guard final : c10::impl::NoOpDeviceGuardImpl<kType> {
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Stream getDefaultStream(c10::Device device) const override { return getStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override { return getStream(stream.device()); }
  void synchronizeDevice(const c10::DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex index) const override { TORCH_CHECK(index == 0, "there is one npu"); }
  at::Device getDeviceFromPtr(void*) const override { return kDevice; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override { return default_generator(); }
  at::Generator getNewGenerator(c10::DeviceIndex) const override { return at::make_generator<DeviceGenerator>(); }
};

// ---- Operations -----------------------------------------------------------------------------------------------------

// The device memory of a tensor, as a CPU tensor.
at::Tensor on_cpu(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  auto* data = tensor.numel() == 0 ? nullptr : tensor.data_ptr();
  return at::from_blob(data, tensor.sizes(), tensor.strides(), at::TensorOptions().dtype(tensor.dtype()));
}

at::Tensor empty(c10::IntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout>,
    std::optional<c10::Device>, std::optional<bool>, std::optional<c10::MemoryFormat> format) {
  const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);
  return at::detail::empty_generic(size, &device_allocator, keys, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<c10::ScalarType> dtype,
    std::optional<c10::Layout>, std::optional<c10::Device>, std::optional<bool>) {
  const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);
  return at::detail::empty_strided_generic(size, stride, &device_allocator, keys, c10::dtype_or_default(dtype));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  if (from.numel() != 0) on_cpu(to).copy_(on_cpu(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (from.sizes() != to.sizes()) to.resize_(from.sizes());
  return copy_from(from, to, false);
}

const at::Tensor& resize(const at::Tensor& tensor, c10::SymIntArrayRef size, std::optional<c10::MemoryFormat> format) {
  return at::native::resize_(tensor, C10_AS_INTARRAYREF_SLOW(size), format);
}

at::Tensor view(const at::Tensor& tensor, c10::IntArrayRef size) { return at::native::view(tensor, size); }

at::Tensor reshape_alias(const at::Tensor& tensor, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::native::_reshape_alias(tensor, size, stride);
}

at::Tensor as_strided(const at::Tensor& tensor, c10::IntArrayRef size, c10::IntArrayRef stride,
    std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(tensor, size, stride, offset);
}

at::Tensor unfold(const at::Tensor& tensor, int64_t dimension, int64_t size, int64_t step) {
  return at::native::unfold(tensor, dimension, size, step);
}

// Whether `tensor.data = other` may move a tensor to another device, as group offloading does.
bool has_compatible_type(const at::Tensor&, const at::Tensor&) { return true; }

at::Tensor& set_source(at::Tensor& tensor, at::Storage source, int64_t offset, c10::IntArrayRef size,
    c10::IntArrayRef stride) {
  return at::cpu::set_(tensor, source, offset, size, stride);
}

at::Scalar local_scalar(const at::Tensor& tensor) { return on_cpu(tensor).item(); }

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
    c10::SymIntArrayRef stride, c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation, bool transposed,
    c10::SymIntArrayRef output_padding, c10::SymInt groups) {
  std::optional<at::Tensor> cpu_bias;
  if (bias.has_value() && bias->defined()) cpu_bias = on_cpu(*bias);
  const Operation operation;
  const auto result = at::convolution_symint(
      on_cpu(input), on_cpu(weight), cpu_bias, stride, padding, dilation, transposed, output_padding, groups);
  auto output = at::empty(result.sizes(), input.options());
  return copy_from(result, output, false);
}

// Any other operation: the CPU's, with the CPU generator of the device's own.
void fallback(const c10::OperatorHandle& operation, torch::jit::Stack* stack) {
  const auto& parameters = operation.schema().arguments();
  const auto first = stack->size() - parameters.size();
  for (size_t index = 0; index < parameters.size(); ++index) {
    auto& given = (*stack)[first + index];
    if (parameters[index].type()->str() != "Generator?" && !given.isGenerator()) continue;
    auto generator = given.isNone() ? default_generator() : given.toGenerator();
    if (generator.device().type() != kType) continue;
    given = static_cast<DeviceGenerator*>(generator.unsafeGetGeneratorImpl())->cpu;
  }
  const Operation running;
  at::native::cpu_fallback(operation, stack);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", empty_strided);
  library.impl("_copy_from", copy_from);
  library.impl("_copy_from_and_resize", copy_from_and_resize);
  library.impl("resize_", resize);
  library.impl("view", view);
  library.impl("_reshape_alias", reshape_alias);
  library.impl("as_strided", as_strided);
  library.impl("unfold", unfold);
  library.impl("_has_compatible_shallow_copy_type", has_compatible_type);
  library.impl("set_.source_Storage_storage_offset", set_source);
  library.impl("_local_scalar_dense", local_scalar);
  library.impl("convolution_overrideable", convolution);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

// Publish both counters in a file, which outlives a process that is killed: four integers of 64 bits.
void report_to(const std::string& path) {
  constexpr size_t size = 4 * sizeof(int64_t);
  const int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  TORCH_CHECK(file >= 0 && ftruncate(file, size) == 0, "cannot write ", path);
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  TORCH_CHECK(mapped != MAP_FAILED, "cannot map ", path);
  device_memory.publish_to(static_cast<int64_t*>(mapped));
  host_memory.publish_to(static_cast<int64_t*>(mapped) + 2);
}

// What Python needs beside `torch.accelerator`.
TORCH_LIBRARY(npu_standin, library) {
  library.def("set_cap", [](int64_t bytes) { device_memory.set_cap(bytes); });
  library.def("host_allocated", []() -> int64_t { return host_memory.stat().current; });
  library.def("max_host_allocated", []() -> int64_t { return host_memory.stat().peak; });
  library.def("reset_max_host_allocated", []() { host_memory.reset_peak(); });
  library.def("report_to", [](std::string path) { report_to(path); });
  library.def("default_generator", []() { return default_generator(); });
}

const bool registered = [] {
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  c10::SetCPUAllocator(&host_allocator, /*priority=*/1);
  return true;
}();

}  // namespace
