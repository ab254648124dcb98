//! A plan is carried out: one step after the other, each output kept as soon as it is whole.

use std::time::Instant;

use machine::Cancel;

use crate::event::Event;
use crate::plan::{Plan, Planned};
use crate::steps::{HandedOn, Made, Work};
use crate::work::{DiskFile, Output, WorkFolder};
use crate::{Error, Result};

impl Plan {
    /// Does what is to be done; gives the output of every step. Programs and room are looked for
    /// [before](Plan::require). An interrupted run loses the step that it was in, nothing more.
    ///
    /// # Errors
    /// [`Error::Step`] with the reason; [`Error::Cancelled`].
    pub fn run(self, observer: &mut dyn FnMut(Event), cancel: &Cancel) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for planned in self.steps {
            let output = match planned.output {
                Some(output) => reuse(output, planned.step.what(), observer),
                None => make(&planned, &self.folder, &self.image, &outputs, observer, cancel)?,
            };
            outputs.push(output);
        }
        Ok(outputs)
    }
}

fn reuse(output: Output, what: String, observer: &mut dyn FnMut(Event)) -> Output {
    observer(Event::Reused { step: output.step, what, made: output.made });
    output
}

fn make(
    planned: &Planned,
    folder: &WorkFolder,
    image: &str,
    before: &[Output],
    observer: &mut dyn FnMut(Event),
    cancel: &Cancel,
) -> Result<Output> {
    let (step, key) = (planned.step.name(), &planned.key);
    cancel.check()?;
    observer(Event::Started { step, what: planned.step.what() });
    let start = Instant::now();
    let draft = folder.draft(step, key)?;
    let mut work =
        Work { step, key, folder: draft.folder(), before, observer: &mut *observer, cancel };
    let made = planned.step.run(&mut work).map_err(|why| failed(step, why))?;
    let disk = match made.disk {
        HandedOn::Same => before.last().and_then(|output| output.disk.clone()),
        HandedOn::New(name, format) => {
            Some(DiskFile { path: folder.place(step, key).join(name), format })
        }
    };
    let Made { result, found, .. } = made;
    let output = Output {
        step,
        image: image.to_owned(),
        key: key.clone(),
        previous: before.last().map(|output| output.key.clone()),
        made: jiff::Timestamp::now(),
        seconds: start.elapsed().as_secs_f64(),
        result: result.clone(),
        disk,
        found,
    };
    let record =
        Output { disk: output.disk.clone().map(|disk| folder.relative(disk)), ..output.clone() };
    draft.commit(&record)?;
    observer(Event::Finished { step, result, seconds: output.seconds });
    Ok(output)
}

fn failed(step: crate::steps::StepName, why: Error) -> Error {
    match why {
        Error::Cancelled => Error::Cancelled,
        why => Error::Step { step, source: Box::new(why) },
    }
}

#[cfg(test)]
mod tests;
