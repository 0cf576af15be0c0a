# What the samples and their module call of Zephyr, for this host.
project(zephyr C)

file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/prj.conf settings REGEX "^CONFIG_")
foreach(setting ${settings})
    string(REGEX MATCH "^([A-Z0-9_a-z]+)=(.*)$" matched ${setting})
    set(${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()

add_library(zephyr_interface INTERFACE)
target_include_directories(
    zephyr_interface INTERFACE ${CMAKE_CURRENT_LIST_DIR}/include ${CMAKE_CURRENT_LIST_DIR}/../line
)
target_compile_definitions(zephyr_interface INTERFACE
    CONFIG_MAIN_STACK_SIZE=${CONFIG_MAIN_STACK_SIZE}
)
add_executable(app ${CMAKE_CURRENT_LIST_DIR}/board.c)
target_link_libraries(app PRIVATE zephyr_interface)

macro(zephyr_library_named name)
    set(ZEPHYR_CURRENT_LIBRARY ${name})
    add_library(${name} STATIC)
    target_link_libraries(${name} PUBLIC zephyr_interface)
    target_link_libraries(app PRIVATE ${name})
endmacro()

function(zephyr_library_sources)
    target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()

function(zephyr_include_directories)
    target_include_directories(zephyr_interface INTERFACE ${ARGN})
endfunction()

foreach(module ${EXTRA_ZEPHYR_MODULES})
    add_subdirectory(${module} module)
endforeach()
