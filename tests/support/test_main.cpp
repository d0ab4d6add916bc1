#define BOOST_TEST_MODULE kaiku
#include <boost/test/unit_test.hpp>
