// The annotated mutex under the name by which cache/ and src/ use it.
#pragma once

#include "thread/mutex.h"

namespace lacquer::cache {

using thread::Mutex;
using thread::MutexLock;

}  // namespace lacquer::cache
