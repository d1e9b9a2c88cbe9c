// swift-tools-version: 6.2
import PackageDescription

// The protocol and its simulator alone, as `cluster/check-mutants` builds them again and again.

#if arch(x86_64)
    let processor: [SwiftSetting] = [
        .unsafeFlags(["-Xcc", "-march=haswell", "-Xcc", "-fno-math-errno"])
    ]
    let optimised: [CSetting] = [.unsafeFlags(["-march=haswell", "-O2", "-ffp-contract=off"])]
#else
    let processor: [SwiftSetting] = []
    let optimised: [CSetting] = [.unsafeFlags(["-O2", "-ffp-contract=off"])]
#endif
let settings = processor + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "mutants",
    targets: [
        .target(name: "CKernels", cSettings: optimised),
        .target(name: "CResources", cSettings: optimised),
        .target(name: "CXXHash", cSettings: optimised),
        .target(name: "Kernels", dependencies: ["CKernels"], swiftSettings: settings),
        .target(
            name: "Parameters", dependencies: ["CKernels", "CResources", "CXXHash", "Kernels"],
            swiftSettings: settings),
        .target(name: "Wire", dependencies: ["CXXHash", "Parameters"], swiftSettings: settings),
        .target(name: "Ring", dependencies: ["Parameters", "Wire"], swiftSettings: settings),
        .target(
            name: "Coordination", dependencies: ["Parameters", "Wire"], swiftSettings: settings),
        .target(
            name: "Simulation", dependencies: ["Coordination", "Parameters", "Ring", "Wire"],
            swiftSettings: settings),
        .executableTarget(
            name: "simulator", dependencies: ["Simulation"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x
)
