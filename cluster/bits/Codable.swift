/// Embedded Swift has none, and nothing here is coded.
package protocol Codable {}
