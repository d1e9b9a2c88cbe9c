import Foundation
import Testing

/// How the modules lie upon each other.
@Suite("The house")
struct ModuleTests {
    let package: PackageDescription

    init() throws { package = try PackageDescription() }

    @Test func `a module depends on modules that Package.swift lists before it`() {
        var below: Set<String> = []
        for target in package.targets {
            let above = target.dependencies.filter {
                package.names.contains($0) && !below.contains($0)
            }
            #expect(above == [], "\(target.name) depends on \(above)")
            below.insert(target.name)
        }
    }

    @Test
    func `a file imports what its module depends on, and a module depends on what it imports`()
        throws
    {
        for target in package.targets
        where !target.name.hasPrefix("C") || target.name == "Checkpoint"
            || target.name == "Coordination"
        {
            var imported: Set<String> = []
            for file in try package.sources(of: target) {
                imported.formUnion(file.imports.filter(package.names.contains))
            }
            let dependencies = Set(target.dependencies).intersection(package.names)
            let missing = imported.subtracting(dependencies).subtracting([target.name])
            let idle = dependencies.subtracting(imported).subtracting(target.runs)
            #expect(missing == [], "\(target.name) imports \(missing.sorted()) unsaid")
            #expect(idle == [], "\(target.name) does not use \(idle.sorted())")
        }
    }

    @Test func `libraries neither exit, print, take signals, nor wait for children of others`()
        throws
    {
        let banned: [Regex<Substring>] = [
            /\b(?:exit|_exit|abort|print|fputs|puts|signalfd|sigaction)\(/, /waitpid\(-1/,
            /FileHandle\.standard/, /\bSignals\(/,
        ]
        let libraries = package.targets.filter {
            $0.kind == "target" && $0.path.hasPrefix("Sources/")
        }
        #expect(libraries.count > 15)
        for target in libraries {
            for file in try package.sources(of: target) {
                for (number, line) in file.lines.enumerated() {
                    let found = banned.contains { line.firstMatch(of: $0) != nil }
                    #expect(!found, "\(file.path):\(number + 1): \(line)")
                }
            }
        }
    }

    @Test func `what a module below Processes gives others says what it is`() throws {
        let declaration =
            /\s*(?:@\w+(?:\([^)]*\))?\s+)*package (?:\w+ |\w+\(\w+\) )*(?:struct|class|enum|protocol|func|var|let|init|typealias|subscript)\b.*/
        let below = package.targets.prefix { $0.name != "Processes" }.filter(\.hasSwift)
        #expect(below.count > 12)
        for target in below {
            for file in try package.sources(of: target) {
                for (number, line) in file.lines.enumerated()
                where line.contains("package ") && line.wholeMatch(of: declaration) != nil {
                    let above = file.lines[..<number].last {
                        !$0.trimmingCharacters(in: .whitespaces).hasPrefix("@")
                    }
                    let isSaid = above?.trimmingCharacters(in: .whitespaces).hasPrefix("///")
                    #expect(isSaid == true, "\(file.path):\(number + 1): \(line)")
                }
            }
        }
    }
}
