/*
 * A Vulkan driver for tests: hands everything on to the driver whose library REAL_DRIVER names, and fails
 * when it is told to. LOSE_DEVICE=1: what is submitted is refused as to a lost device. MOST_BYTES=n: memory
 * beyond n bytes together is refused.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Lookup)(void *, const char *);

/* VkMemoryAllocateInfo, as far as it is read here. */
struct Request {
  int type;
  const void *next;
  uint64_t size;
  uint32_t kind;
};

enum { OUT_OF_DEVICE_MEMORY = -2, DEVICE_LOST = -4, KNOWN = 1 << 16 };

static void *library;
static Lookup of_device;
static int (*allocate)(void *, const struct Request *, const void *, uint64_t *);
static void (*give_back)(void *, uint64_t, const void *);
static int (*submit)(void *, uint32_t, const void *, uint64_t);
static int (*submit2)(void *, uint32_t, const void *, uint64_t);

static struct {
  uint64_t memory, size;
} taken[KNOWN];
static int count;
static uint64_t total;

static Function find(const char *name) {
  if (!library) library = dlopen(getenv("REAL_DRIVER"), RTLD_NOW | RTLD_LOCAL);
  return library ? (Function)dlsym(library, name) : NULL;
}

static int my_allocate(void *device, const struct Request *request, const void *a, uint64_t *out) {
  const char *most = getenv("MOST_BYTES");
  if (most && total + request->size > strtoull(most, NULL, 10)) return OUT_OF_DEVICE_MEMORY;
  int result = allocate(device, request, a, out);
  if (result == 0 && count < KNOWN) {
    taken[count].memory = *out;
    taken[count++].size = request->size;
    total += request->size;
  }
  return result;
}

static void my_give_back(void *device, uint64_t memory, const void *a) {
  for (int i = 0; i < count; i++) {
    if (taken[i].memory != memory) continue;
    total -= taken[i].size;
    taken[i] = taken[--count];
    break;
  }
  give_back(device, memory, a);
}

static int my_submit(void *queue, uint32_t n, const void *work, uint64_t fence) {
  return getenv("LOSE_DEVICE") ? DEVICE_LOST : submit(queue, n, work, fence);
}

static int my_submit2(void *queue, uint32_t n, const void *work, uint64_t fence) {
  return getenv("LOSE_DEVICE") ? DEVICE_LOST : submit2(queue, n, work, fence);
}

static Function my_of_device(void *device, const char *name);

/* The driver's function, or ours in front of it. */
static Function in_front(const char *name, Function real) {
  if (!real) return real;
#define FRONT(vulkan, kept, ours) \
  if (!strcmp(name, vulkan)) {    \
    kept = (void *)real;          \
    return (Function)ours;        \
  }
  FRONT("vkAllocateMemory", allocate, my_allocate)
  FRONT("vkFreeMemory", give_back, my_give_back)
  FRONT("vkQueueSubmit", submit, my_submit)
  FRONT("vkQueueSubmit2", submit2, my_submit2)
  FRONT("vkGetDeviceProcAddr", of_device, my_of_device)
  return real;
}

static Function my_of_device(void *device, const char *name) {
  return in_front(name, of_device(device, name));
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  Lookup lookup = (Lookup)find("vk_icdGetInstanceProcAddr");
  return lookup ? in_front(name, lookup(instance, name)) : NULL;
}

Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Lookup lookup = (Lookup)find("vk_icdGetPhysicalDeviceProcAddr");
  return lookup ? lookup(instance, name) : NULL;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  int (*negotiate)(uint32_t *) = (void *)find("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : -3;
}
