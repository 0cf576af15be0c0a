# What the example calls of the Pico SDK, for this host.
macro(pico_sdk_init)
    add_library(pico_stdlib INTERFACE)
    target_include_directories(pico_stdlib INTERFACE ${PICO_SDK_PATH}/include)
endmacro()

function(pico_enable_stdio_usb target enabled)
endfunction()

function(pico_enable_stdio_uart target enabled)
endfunction()

function(pico_add_extra_outputs target)
endfunction()
