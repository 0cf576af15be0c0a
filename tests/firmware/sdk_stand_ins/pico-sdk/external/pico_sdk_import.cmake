# What the examples call of the Pico SDK, for this host.
macro(pico_sdk_init)
    add_library(pico_stdlib STATIC ${PICO_SDK_PATH}/pico.c)
    target_include_directories(pico_stdlib PUBLIC ${PICO_SDK_PATH}/include ${PICO_SDK_PATH}/../line)
    add_library(hardware_flash ALIAS pico_stdlib)
    add_library(hardware_watchdog ALIAS pico_stdlib)
endmacro()

function(pico_enable_stdio_usb target enabled)
endfunction()

function(pico_enable_stdio_uart target enabled)
endfunction()

function(pico_add_extra_outputs target)
endfunction()
