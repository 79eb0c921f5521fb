//! An operation as values for a plan: classifies what the hooks would read. Knows the fields of the language by name,
//! as the interpreter does; knows no hook.

use super::walk::Address;
use super::{Flag, Plan, Values};
use crate::classes::numbers::FAILED;
use crate::hir::{Object, Operation, PathValue};
use ebsec_templates::{Catalog, Field, FieldId, FieldOf, FieldType};

impl Plan {
    /// Values of an elementary event of an operation.
    pub fn values(&self, catalog: &Catalog, operation: &Operation, object: &Object) -> Values {
        let mut values = Values { line: self.line_of(&operation.subject.lineage), ..Values::default() };
        for (index, field) in catalog.fields.iter().enumerate() {
            let id = FieldId(index as u16);
            match field.of {
                FieldOf::Subject => self.subject_value(&mut values, id, field, operation),
                FieldOf::Object => self.object_value(&mut values, id, field, operation, object),
                FieldOf::Operation => {
                    if let Some(name) = operation.names.get(&id) {
                        values.classes.insert(id, self.paths.class_of_comm(name));
                    }
                    let fact = field.ty == FieldType::Bool && operation.facts.contains(&field.name);
                    if let Some(number) = operation.values.get(&id).copied().or(fact.then_some(1)) {
                        values.set(id, field, number);
                    }
                }
            }
        }
        values
    }

    fn subject_value(&self, values: &mut Values, id: FieldId, field: &Field, operation: &Operation) {
        let subject = &operation.subject;
        let program = match field.name.as_str() {
            "process.exe" => &subject.exe,
            "process.parent.exe" => &subject.parent,
            "process.comm" => {
                values.classes.insert(id, self.paths.class_of_comm(&subject.comm));
                return;
            }
            "process.uid" => return values.set(id, field, subject.uid.into()),
            "process.gid" => return values.set(id, field, subject.gid.into()),
            "process.euid" => return values.set(id, field, subject.euid.into()),
            "process.container" => {
                if subject.container_trusted {
                    values.flags.insert(Flag::Trusted(id));
                }
                return values.set(id, field, subject.container.into());
            }
            _ => return,
        };
        let (class, trusted) = self.program(program);
        values.classes.insert(id, class);
        if trusted {
            values.trusted.insert(id);
        }
    }

    fn object_value(&self, values: &mut Values, id: FieldId, field: &Field, operation: &Operation, object: &Object) {
        let number = match (field.name.as_str(), &object.file, &object.remote) {
            ("file.path", _, _) => {
                values.classes.insert(id, self.paths.class_of_value(&object.path));
                if object.deleted {
                    values.flags.insert(Flag::Deleted(id));
                }
                return;
            }
            ("file.host_path", _, _) => {
                values.classes.insert(id, self.paths.class_of_value(object.host_paths.first().unwrap_or(&PathValue::Absent)));
                return;
            }
            ("file.memfd", Some(file), _) => u64::from(file.memfd),
            ("file.setuid", Some(file), _) => u64::from(file.mode & 0o4000 != 0),
            ("file.mode", Some(file), _) => u64::from(file.mode),
            ("file.owner", Some(file), _) => u64::from(file.owner),
            ("file.owned", Some(file), _) => u64::from(file.owner == operation.subject.euid),
            ("remote.ip", _, Some(remote)) => {
                let address = remote.address().map_or(Address::Failed, Address::Known);
                values.addresses.insert(id, address);
                return;
            }
            ("remote.port", _, Some(remote)) => remote.port.map_or(FAILED, u64::from),
            _ => return,
        };
        values.set(id, field, number);
    }
}

impl Values {
    fn set(&mut self, id: FieldId, field: &Field, number: u64) {
        if field.ty != FieldType::Bool {
            self.numbers.insert(id, number);
        } else if number != 0 {
            self.flags.insert(Flag::Field(id));
        }
    }
}
