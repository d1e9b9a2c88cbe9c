// swift-tools-version: 6.2
import PackageDescription

/// SIMD8<Float> becomes one AVX2 register and addingProduct one FMA on x86-64.
#if arch(x86_64)
    let processor: [SwiftSetting] = [
        .unsafeFlags(["-Xcc", "-march=haswell", "-Xcc", "-fno-math-errno"])
    ]
    let optimised: [CSetting] = [
        .unsafeFlags(["-march=haswell", "-O2", "-ffp-contract=off"])
    ]
#else
    let processor: [SwiftSetting] = []
    let optimised: [CSetting] = [.unsafeFlags(["-O2", "-ffp-contract=off"])]
#endif

/// A compiler must not fuse a product and a sum that the source does not.
let uncontracted: [CXXSetting] = [.unsafeFlags(["-ffp-contract=off"])]

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Modules full of pointer loops run 7 times faster when optimised, so debug builds optimise them too.
let numeric: [SwiftSetting] =
    strict + processor + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// The tiles of the products are generic: calls from file to file cost more than their arithmetic
/// unless the module is compiled as a whole (in several threads: an object for each file).
let kernels: [SwiftSetting] =
    numeric
    + [
        .unsafeFlags(
            ["-disable-batch-mode", "-whole-module-optimization", "-num-threads", "2"],
            .when(configuration: .debug))
    ]

/// The state machines run through hundreds of simulated trainings in every `swift test`.
let machine: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// What `dtrain --version` says where the C++ compiler finds no `.git/logs` to ask.
let commit = String(Context.gitInformation?.currentCommit.prefix(12) ?? "unknown")

/// libFuzzer brings `main`, so this is a target only for `cluster/fuzz --guided`.
let guided: [Target] =
    Context.environment["DTRAIN_GUIDED"] == nil
    ? []
    : [
        .executableTarget(
            name: "guided",
            dependencies: ["Checkpoint", "FuzzKit", "Ring", "Settings", "Text", "Wire"],
            path: "Tests/Guided",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
    ]

/// What `cluster/check-bits` gives its driver: a target for it alone.
let bits: [Target] =
    Context.environment["DTRAIN_BITS"] == nil
    ? []
    : [
        .executableTarget(
            name: "bits",
            dependencies: [
                "Checkpoint", "Inference", "Kernels", "Model", "Preparation", "Settings", "Text",
                "Training",
            ],
            path: "cluster/bits/reader",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
    ]

let package = Package(
    name: "dtrain",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        // System libraries and what is written in C.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CLinux"),
        .target(name: "CKernels", cSettings: optimised),
        .target(name: "CResources", cSettings: optimised),
        .target(name: "CXXHash", cSettings: optimised),
        .systemLibrary(name: "CCrypto"),
        .target(
            name: "CSentencePiece", cxxSettings: uncontracted,
            linkerSettings: [
                .linkedLibrary("sentencepiece"), .linkedLibrary("sentencepiece_train"),
            ]),
        .target(
            name: "CEmbeddedText",
            exclude: [
                "demo.en-fr.tsv", "demo.en-fr.LICENSE", "botchan.txt", "botchan.LICENSE",
            ]),
        .target(name: "CPage", exclude: ["page.html", "page.css", "page.js"]),
        .target(
            name: "CBuildFacts",
            cxxSettings: uncontracted + [.define("DTRAIN_COMMIT", to: "\"\(commit)\"")]),

        // What the system grants, to all of them.
        .target(name: "Resources", dependencies: ["CResources"], swiftSettings: strict),

        // Learning.
        .target(name: "Kernels", dependencies: ["CKernels"], swiftSettings: kernels),
        .target(
            name: "Parameters", dependencies: ["CKernels", "CResources", "CXXHash", "Kernels"],
            swiftSettings: numeric),
        .target(name: "Wire", dependencies: ["CXXHash", "Parameters"], swiftSettings: machine),
        .target(
            name: "Text",
            dependencies: ["CEmbeddedText", "CSentencePiece", "CXXHash"],
            swiftSettings: numeric),
        .target(
            name: "Model", dependencies: ["Kernels", "Parameters", "Resources"],
            swiftSettings: numeric),
        .target(
            name: "Checkpoint", dependencies: ["CCrypto", "Wire"],
            swiftSettings: strict),
        .target(
            name: "Training", dependencies: ["Kernels", "Model", "Parameters"],
            swiftSettings: numeric),

        // What translations are worth.
        .target(name: "Scoring", dependencies: ["Kernels"], swiftSettings: machine),

        // Cluster.
        .target(
            name: "Messaging", dependencies: ["CCrypto", "CLinux", "CZeroMQ", "Resources", "Wire"],
            swiftSettings: strict),
        .target(
            name: "Ring", dependencies: ["Parameters", "Wire"], swiftSettings: numeric),
        .target(
            name: "Coordination", dependencies: ["Parameters", "Wire"], swiftSettings: machine),
        .target(
            name: "Simulation", dependencies: ["Coordination", "Parameters", "Ring", "Wire"],
            swiftSettings: machine),

        // What a run is told.
        .target(
            name: "Settings",
            dependencies: [
                "Checkpoint", "Coordination", "Kernels", "Model", "Ring", "Text", "Training",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        // What a process is made of.
        .target(
            name: "Threads",
            dependencies: ["CLinux", "Coordination", "Kernels", "Messaging", "Resources"],
            swiftSettings: strict),
        .target(
            name: "Links",
            dependencies: [
                "Coordination", "Kernels", "Messaging", "Parameters", "Resources", "Ring",
                "Settings",
                "Threads", "Wire",
            ],
            swiftSettings: strict),
        .target(
            name: "Preparation",
            dependencies: [
                "Checkpoint", "Kernels", "Model", "Parameters", "Resources", "Settings", "Text",
                "Training",
                "Wire",
            ],
            swiftSettings: strict),
        .target(
            name: "Events",
            dependencies: [
                "Checkpoint", "Coordination", "Messaging", "Preparation", "Resources", "Settings",
                "Text", "Threads",
            ],
            swiftSettings: strict),

        .target(
            name: "Watching", dependencies: ["Checkpoint", "Coordination", "Events"],
            swiftSettings: machine),

        // What is done with them.
        .target(
            name: "Inference",
            dependencies: [
                "Checkpoint", "Coordination", "Kernels", "Model", "Parameters", "Preparation",
                "Resources", "Ring", "Scoring", "Settings", "Text", "Threads", "Training",
            ],
            swiftSettings: strict),
        .target(
            name: "Exports",
            dependencies: [
                "Checkpoint", "Inference", "Kernels", "Model", "Parameters", "Preparation",
                "Settings", "Text",
            ],
            swiftSettings: machine),
        .target(
            name: "Processes",
            dependencies: [
                "CLinux", "Checkpoint", "Coordination", "Events", "Inference", "Kernels", "Links",
                "Messaging", "Model", "Parameters", "Preparation", "Resources", "Ring", "Settings",
                "Text", "Threads", "Training", "Wire",
            ],
            swiftSettings: strict),
        .target(
            name: "Measuring",
            dependencies: [
                "CLinux", "Checkpoint", "Coordination", "Events", "Kernels", "Links", "Messaging",
                "Model", "Parameters", "Preparation", "Processes", "Resources", "Ring", "Settings",
                "Text",
                "Threads", "Training", "Wire",
            ],
            swiftSettings: strict),
        .target(
            name: "Words",
            dependencies: [
                "Checkpoint", "Coordination", "Events", "Exports", "Inference", "Measuring",
                "Messaging", "Model", "Preparation", "Processes", "Resources", "Scoring",
                "Settings", "Text", "Threads", "Watching", "Wire",
            ],
            swiftSettings: strict),
        .target(
            name: "Page",
            dependencies: [
                "CPage", "Checkpoint", "Coordination", "Events", "Preparation", "Resources",
                "Settings", "Watching", "Words",
                .product(name: "FlyingFox", package: "FlyingFox"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "dtrain",
            dependencies: [
                "CBuildFacts", "CLinux", "CResources", "Checkpoint", "Coordination", "Events",
                "Exports", "Inference", "Kernels", "Measuring", "Messaging", "Model", "Page",
                "Preparation", "Processes",
                "Resources", "Ring", "Scoring", "Settings", "Simulation", "Text", "Threads",
                "Watching", "Words",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(
            name: "TestKit",
            dependencies: [
                "CLinux", "Checkpoint", "Model", "Parameters", "Preparation", "Processes",
                "Settings", "Text", "Training",
            ],
            path: "Tests/TestKit", swiftSettings: strict),
        .target(
            name: "FuzzKit", dependencies: ["Parameters", "Ring"], path: "Tests/FuzzKit",
            swiftSettings: machine),
        .target(name: "CAllocations", path: "Tests/CAllocations", cSettings: optimised),
        .testTarget(name: "HouseTests", swiftSettings: strict),
        .testTarget(
            name: "ResourcesTests", dependencies: ["Resources", "TestKit"], swiftSettings: strict),
        .testTarget(name: "ScoringTests", dependencies: ["Scoring"], swiftSettings: machine),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels"], swiftSettings: numeric),
        .testTarget(name: "ParametersTests", dependencies: ["Parameters"], swiftSettings: strict),
        .testTarget(name: "TextTests", dependencies: ["Text", "FuzzKit"], swiftSettings: strict),
        .testTarget(
            name: "ModelTests",
            dependencies: ["Checkpoint", "Kernels", "Model", "Parameters", "Training"],
            swiftSettings: numeric),
        .testTarget(
            name: "CheckpointTests", dependencies: ["Checkpoint", "FuzzKit"], swiftSettings: strict),
        .testTarget(
            name: "TrainingTests", dependencies: ["Parameters", "Training"], swiftSettings: strict),
        .testTarget(
            name: "WireTests", dependencies: ["FuzzKit", "Parameters", "Wire"],
            swiftSettings: strict),
        .testTarget(
            name: "MessagingTests",
            dependencies: ["CLinux", "Messaging", "Resources", "TestKit", "Wire"],
            swiftSettings: strict),
        .testTarget(
            name: "RingTests", dependencies: ["FuzzKit", "Parameters", "Ring", "Wire"],
            swiftSettings: strict),
        .testTarget(
            name: "CoordinationTests",
            dependencies: ["Coordination", "FuzzKit", "Parameters", "Simulation", "Wire"],
            swiftSettings: strict),
        .testTarget(
            name: "SettingsTests", dependencies: ["Model", "Ring", "Settings", "Text"],
            swiftSettings: strict),
        .testTarget(
            name: "LinksTests",
            dependencies: [
                "CAllocations", "Coordination", "FuzzKit", "Links", "Messaging", "Parameters",
                "Ring", "Settings", "TestKit", "Wire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PreparationTests",
            dependencies: [
                "Checkpoint", "Model", "Parameters", "Preparation", "Settings", "TestKit", "Text",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ExportsTests",
            dependencies: [
                "Checkpoint", "Exports", "FuzzKit", "Inference", "Model", "Preparation", "Settings",
                "TestKit", "Text", "Words",
            ],
            swiftSettings: machine),
        .testTarget(
            name: "EventsTests",
            dependencies: [
                "Checkpoint", "Coordination", "Events", "Messaging", "Preparation", "Settings",
                "Text", "Threads", "Wire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WatchingTests",
            dependencies: ["Checkpoint", "Coordination", "Events", "TestKit", "Watching"],
            swiftSettings: strict),
        .testTarget(
            name: "PageTests", dependencies: ["Checkpoint", "Page", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ProcessesTests",
            dependencies: [
                "Checkpoint", "Coordination", "Events", "FuzzKit", "Inference", "Kernels",
                "Messaging", "Model", "Preparation", "Processes", "Resources", "Ring", "Settings",
                "TestKit", "Threads", "Wire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MeasuringTests", dependencies: ["Measuring", "Ring"], swiftSettings: strict),
        .testTarget(
            name: "WordsTests", dependencies: ["Inference", "Model", "Scoring", "Words"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "Checkpoint", "Settings", "Simulation", "TestKit", "Wire", "dtrain",
            ],
            exclude: ["Help"], swiftSettings: strict),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "Checkpoint", "Coordination", "Kernels", "Messaging", "Parameters", "Processes",
                "Ring", "TestKit", "Wire", "dtrain",
            ],
            swiftSettings: strict),
    ] + guided + bits,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x,
    cxxLanguageStandard: .cxx17
)
