#include "tflm.h"
